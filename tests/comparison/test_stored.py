# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests import factories
from tests.conftest import RECIPES
from tflite_opt.comparison import stored
from tflite_opt.records import benchmark, errors, run_directory


def test_a_run_gives_all_that_is_known_of_its_variants(finished_run):
    found = stored.load(finished_run.root)
    assert tuple(found) == RECIPES
    int8 = found["int8"]
    assert int8.result.artifact == int8.artifact
    assert int8.evaluation.split == "test"
    assert int8.facts.quantized_weight_fraction == 1.0
    assert int8.failure is None


def test_a_benchmark_record_brings_what_its_run_knows(finished_run):
    path = finished_run.path("benchmarks", "int8.json")
    found = stored.load(path)
    assert list(found) == ["int8"]
    assert found["int8"] == stored.load(finished_run.root)["int8"]


def test_a_benchmark_record_alone_is_enough(tmp_path):
    result = factories.result(factories.tflite("int8"))
    result.save(tmp_path / "result.json")
    found = stored.load(tmp_path / "result.json")
    assert found == {
        "int8": stored.Evidence(artifact=result.artifact, result=result)
    }


def test_facts_are_read_only_from_the_file_that_was_measured(copied_run):
    for name in ("conversion.json", "artifacts/int8.json"):
        copied_run.path(name).unlink()
    found = stored.load(copied_run.root)["int8"]
    assert found.facts.sha256 == found.artifact.sha256
    copied_run.path("artifacts", "int8.tflite").write_bytes(b"other")
    assert stored.load(copied_run.root)["int8"].facts is None


def test_a_sweep_is_found_in_its_folders(tmp_path):
    run = run_directory.RunDirectory.create(tmp_path / "run", command="x")
    for count in (1, 2):
        factories.result(
            factories.tflite("int8"),
            options=benchmark.RuntimeOptions(num_threads=count),
        ).save(run.path("benchmarks", f"threads_{count}", "int8.json"))
    found = stored.load(run.root)
    assert list(found) == ["int8"]
    threads = [x.options.num_threads for x in found["int8"].results]
    assert threads == [1, 2]
    path = run.path("benchmarks", "threads_2", "int8.json")
    (alone,) = stored.load(path)["int8"].results
    assert alone.options.num_threads == 2


def test_a_failed_benchmark_keeps_its_reason(tmp_path):
    run = run_directory.RunDirectory.create(tmp_path / "run", command="x")
    failure = benchmark.BenchmarkFailure(
        artifact=factories.tflite("v1.2"), message="It crashed."
    )
    failure.save(run.path("benchmarks", "v1.2.failure.json"))
    run.path("benchmarks", "v1.2.logs.json").write_text('{"record": "Logs"}')
    found = stored.load(run.root)
    assert list(found) == ["v1.2"]
    assert found["v1.2"].failure.message == "It crashed."
    assert found["v1.2"].result is None


def test_a_run_without_models_is_refused(tmp_path):
    run = run_directory.RunDirectory.create(tmp_path / "run", command="x")
    with pytest.raises(
        errors.InputError,
        match=re.escape(f"Received: {str(run.root)!r}, which has neither"),
    ):
        stored.load(run.root)


def test_what_is_no_record_is_refused(tmp_path):
    with pytest.raises(errors.InputError, match="manifest.json"):
        stored.load(tmp_path)
    with pytest.raises(errors.InputError, match="Cannot read"):
        stored.load(tmp_path / "nothing.json")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(errors.InputError, match="Expected a BenchmarkResult"):
        stored.load(tmp_path / "a.json")
