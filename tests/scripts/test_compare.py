# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json

import numpy as np
import pytest

from tests import factories
from tests.scripts import programs

_QUICK = (
    "--launches=4",
    "--num_runs=5",
    "--min_secs=0",
    "--warmup_runs=1",
    "--warmup_min_secs=0",
)
_NOISE = np.random.default_rng(0).normal(0, 0.005, (2, 10))


def _stored(tmp_path, name, factor=1.0, turn=0, **fields):
    medians = factor * np.exp(_NOISE[turn])
    result = factories.result(
        factories.tflite(name),
        factor,
        launches=factories.launches(medians, turn=turn),
        **fields,
    )
    path = tmp_path / f"{name}.json"
    result.save(path)
    return str(path)


def test_two_files_are_measured_in_turns(finished_run, tmp_path):
    files = [
        str(finished_run.path("artifacts", f"{name}.tflite"))
        for name in ("float32", "int8")
    ]
    output = f"--output_dir={tmp_path / 'out'}"
    done = programs.run(
        "compare", *files, *_QUICK, output, "--aa", "--margin=0.9"
    )
    assert done.returncode in (0, 3), done.stderr
    assert "int8 against float32" in done.stdout
    assert "4 launches of each, in turns" in done.stdout
    assert "noise floor" in done.stdout
    assert "-120,384" in done.stdout  # bytes of weights
    kept = {path.stem for path in (tmp_path / "out/benchmarks").glob("*.json")}
    assert kept == {"float32", "float32.again", "int8"}


@pytest.mark.parametrize(
    ("factor", "code", "verdict"),
    [
        (1.1, 1, "slower"),
        (0.9, 0, "faster"),
        (1.0, 0, "no difference"),
        (1.031, 3, "inconclusive"),
    ],
)
def test_the_exit_code_is_the_verdict(tmp_path, factor, code, verdict):
    done = programs.run(
        "compare",
        _stored(tmp_path, "old"),
        _stored(tmp_path, "new", factor, turn=1),
        "--output=json",
    )
    assert done.returncode == code, done.stderr
    (found,) = json.loads(done.stdout)
    assert found["latency"]["verdict"] == verdict


def test_runs_are_compared_by_variant_with_paired_accuracy(finished_run):
    root = str(finished_run.root)
    done = programs.run("compare", root, root, "--max_accuracy_drop=0.02")
    # The runs of tests have three launches: too few for an interval.
    assert done.returncode == 3, done.stderr
    lines = [x for x in done.stdout.splitlines() if x.startswith("int8 ")]
    assert len(lines) == 1
    assert "+0.00% (-0.85% to +0.85%)" in lines[0]
    assert "within" in lines[0]
    assert "too few launches for an interval" in lines[0]


def test_other_conditions_are_refused_by_name(tmp_path):
    options = dataclasses.replace(
        factories.result(factories.tflite()).options, num_threads=2
    )
    done = programs.run(
        "compare",
        _stored(tmp_path, "old"),
        _stored(tmp_path, "new", turn=1, options=options),
    )
    programs.assert_one_error_line(done, "options.num_threads=1 against 2")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["Received: none"]),
        (["a.json"], ["a baseline and a candidate", "a.json"]),
        (["a.tflite", "b.json"], ["give two of a kind", "a.tflite b.json"]),
        (["a.json", "b.json", "--aa"], ["--aa only with files"]),
        (["a.json", "b.json"], ["a.json"]),
        (["a.tflite", "b.tflite"], ["a.tflite"]),
        (["a.tflite", "a.tflite"], ["by --aa", "a.tflite a.tflite"]),
        (["a.json", "b.json", "--margin=3"], ["margin=3.0", "0.03"]),
        (["a.json", "b.json", "--max_accuracy_drop=5"], ["drop=5"]),
    ],
    ids=lambda value: " ".join(value) or "none",
)
def test_bad_input_is_one_line(arguments, parts):
    done = programs.run("compare", *arguments)
    programs.assert_one_error_line(done, *parts)
