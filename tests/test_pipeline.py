# SPDX-License-Identifier: Apache-2.0
"""The whole job on the sample model, and what happens when it is cut short."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests import conftest
from tests.scripts import programs
from tflite_opt import pipeline
from tflite_opt.records import (
    benchmark,
    evaluation,
    files,
    report,
    run_directory,
    tensor_names,
)
from tflite_opt.records import golden as golden_record
from tflite_opt.records import variants as variants_record
from tflite_opt.tflite import golden


def _report(run):
    return report.Report.load(run.path("report", "results.json"))


def _row(run, name):
    return next(row for row in _report(run).rows if row.name == name)


def test_each_recipe_became_a_row_with_all_its_evidence(finished_run):
    content = _report(finished_run)
    assert [row.name for row in content.rows] == list(conftest.RECIPES)
    assert not content.failures
    for row in content.rows:
        path = finished_run.path("artifacts", f"{row.name}.tflite")
        assert row.size_bytes == path.stat().st_size
        assert row.metric.value > 0.9
        assert row.metric.low < row.metric.value < row.metric.high
        assert (
            row.agreement.num_examples
            == content.description.num_examples["test"]
        )
        assert row.median_ms > 0
        assert row.peak_memory_bytes < 150e6


def test_quantized_variants_are_what_they_say(finished_run):
    float32 = _row(finished_run, "float32")
    assert float32.quantized_weight_fraction == 0
    assert _row(finished_run, "int8").quantized_weight_fraction == 1
    assert _row(finished_run, "int8").times_smaller > 2
    assert _row(finished_run, "float16").times_smaller > 1.5
    assert float32.agreement.same_predictions == 1
    assert float32.agreement.max_absolute_difference < 1e-5


def test_the_calibration_is_recorded_where_data_were_used(finished_run):
    def variant(name):
        return variants_record.Variant.load(
            finished_run.path("artifacts", f"{name}.json"), finished_run.root
        )

    assert variant("int8").calibration.num_samples == 100
    assert variant("dynamic_range").calibration is None


def test_parents_are_the_float_model_and_the_unslimmed_file(finished_run):
    stored = variants_record.Variant.load(
        finished_run.path("artifacts", "int8.json"), finished_run.root
    )
    paths = [
        finished_run.path("float", "model.tflite"),
        finished_run.path("artifacts", "unrefined", "int8.0.tflite"),
    ]
    hashes = tuple(files.sha256_of_file(path) for path in paths)
    assert stored.artifact.parents == hashes
    assert stored.artifact.size_bytes < paths[1].stat().st_size


def test_dropped_names_are_beside_the_slimmed_file(finished_run):
    names = tensor_names.names_for(finished_run.path("artifacts/int8.tflite"))
    assert any("depthwise" in name for name in names.values())


def test_the_representative_data_were_looked_at(finished_run):
    check = _report(finished_run).data_check
    assert check.num_samples == 100
    assert check.findings == ()
    text = finished_run.path("report", "report.md").read_text()
    assert "## Representative data" in text
    assert "10 of 10 classes have a sample" in text


def test_golden_vectors_lie_beside_each_variant(finished_run):
    for name in conftest.RECIPES:
        path = finished_run.path("artifacts", f"{name}.tflite")
        vectors = golden.read(golden_record.path_beside(path))
        assert vectors.golden.artifact_sha256 == _row(finished_run, name).sha256
        assert list(vectors.inputs) == ["image"]
        assert vectors.inputs["image"].dtype == np.float32
        assert len(vectors.labels) == 8


def test_the_linter_speaks_in_the_report(finished_run):
    rules = {item.rule for item in _row(finished_run, "int4").findings}
    assert {"int4-convolution", "delegation-split"} <= rules
    text = finished_run.path("report", "report.md").read_text()
    assert "**int4-convolution** (int4)" in text


def test_accuracy_can_be_counted_from_the_stored_predictions(finished_run):
    stored = evaluation.Evaluation.load(
        finished_run.path("evaluations", "int8.test.json"), finished_run.root
    )
    with np.load(stored.predictions_path) as arrays:
        correct = arrays["predictions"] == arrays["labels"]
        assert len(set(arrays["ids"])) == len(correct) == stored.num_examples
    assert stored.metric.value == pytest.approx(correct.mean())


def test_latency_can_be_counted_from_the_stored_samples(finished_run):
    stored = benchmark.BenchmarkResult.load(
        finished_run.path("benchmarks", "int8.json"), finished_run.root
    )
    with np.load(stored.samples_path) as arrays:
        medians = [np.median(arrays[name]) / 1e6 for name in arrays.files]
    assert len(medians) == len(stored.launches) == 3
    assert stored.latency.median_ms == pytest.approx(np.median(medians))


def test_the_choice_was_written_before_the_test_split_was_touched(
    finished_run,
):
    chosen = finished_run.path("recommendation.json").stat().st_mtime_ns
    tests = finished_run.path("evaluations").glob("*.test.json")
    assert all(path.stat().st_mtime_ns > chosen for path in tests)


def test_small_data_cannot_prove_half_a_point(finished_run):
    drop = _row(finished_run, "int8").drop
    assert drop.verdict in ("not provable", "within")
    if drop.verdict == "not provable":
        assert drop.examples_needed is None or drop.examples_needed > 450


def test_the_report_has_all_its_forms(finished_run):
    folder = finished_run.path("report")
    rows = list(csv.DictReader((folder / "results.csv").open()))
    assert [row["name"] for row in rows] == list(conftest.RECIPES)
    text = (folder / "report.md").read_text()
    assert "| int8" in text
    assert "Recommended for balanced" in text
    assert (folder / "report.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "report.html").read_text()
    assert "Ship " in page
    assert len(page) < 1.5e6


def test_a_run_can_be_moved_and_reported_again(copied_run):
    before = copied_run.path("report", "results.csv").read_text()
    copied_run.path("report", "results.csv").unlink()
    done = programs.run("report", str(copied_run.root), "--output=json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["record"] == "Report"
    assert copied_run.path("report", "results.csv").read_text() == before


def test_resume_redoes_only_what_is_missing(copied_run):
    copied_run.path("artifacts", "int8.tflite").unlink()
    copied_run.path("evaluations", "float16.test.json").unlink()
    kept = [
        copied_run.path("artifacts", "int4.tflite"),
        copied_run.path("evaluations", "int4.test.json"),
        copied_run.path("benchmarks", "float16.json"),
    ]
    times = [path.stat().st_mtime_ns for path in kept]
    run = run_directory.RunDirectory.create(
        copied_run.root, command="again", resume=True
    )
    content, _ = pipeline.optimize(conftest.sample_request(), run)
    assert len(content.rows) == len(conftest.RECIPES)
    assert copied_run.path("artifacts", "int8.tflite").exists()
    assert copied_run.path("evaluations", "float16.test.json").exists()
    assert [path.stat().st_mtime_ns for path in kept] == times


def test_latency_of_another_session_is_marked(copied_run):
    copied_run.path("benchmarks", "int8.json").unlink()
    run = run_directory.RunDirectory.create(
        copied_run.root, command="again", resume=True
    )
    content, _ = pipeline.optimize(conftest.sample_request(), run)
    marked = {
        row.name
        for row in content.rows
        if "measured in another session than float32" in row.warnings
    }
    assert marked == {"int8"}


def test_a_killed_run_resumes(tmp_path):
    root = tmp_path / "run"
    command = [sys.executable, "-m", "scripts.optimize"]
    command += [f"--output_dir={root}", "--recipes=float16,int8", "--resume"]
    command += ["--launches=3", "--num_runs=5", "--min_secs=0"]
    process = subprocess.Popen(
        command,
        cwd=programs.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    first = root / "artifacts" / "float32.json"
    manifest = root / "manifest.json"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if manifest.exists() and "convert/float32" in manifest.read_text():
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = first.stat().st_mtime_ns
    done = programs.run("optimize", *command[3:])
    assert done.returncode == 0, done.stderr
    assert first.stat().st_mtime_ns == kept
    assert not list(root.rglob("*.partial"))
    rows = _report(run_directory.RunDirectory.open(root)).rows
    assert [row.name for row in rows] == ["float32", "float16", "int8"]
