# SPDX-License-Identifier: Apache-2.0
"""The evaluate program with other metrics than top-1."""

import json

from tests.scripts import programs

_USERS = "python:tests.evaluation.metrics.users"


def _evaluate(run, tmp_path, metric, *flags):
    model = run.path("artifacts", "int8.tflite")
    return programs.run(
        "evaluate",
        str(model),
        "--dataset=digits",
        f"--metric={metric}",
        f"--output_dir={tmp_path / 'out'}",
        *flags,
    )


def test_a_metric_of_the_users_is_evaluated(finished_run, tmp_path):
    metric = f"{_USERS}:distance"
    done = _evaluate(finished_run, tmp_path, metric, "--output=json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)[0]["metrics"]
    assert found["name"] == metric
    assert not found["higher_is_better"]
    assert 0 < found["value"] < 0.1


def test_an_exception_of_theirs_comes_with_their_traceback(
    finished_run, tmp_path
):
    done = _evaluate(finished_run, tmp_path, f"{_USERS}:broken")
    assert done.returncode == 2
    *shown, last = done.stderr.strip().splitlines()
    assert last.startswith("error: Your tests.evaluation.metrics.users:broken")
    assert "KeyError: 'a key of theirs'" in last
    files = [line for line in shown if line.lstrip().startswith("File ")]
    assert len(files) == 1
    assert "users.py" in files[0]


def test_a_metric_that_does_not_fit_is_one_error_line(finished_run, tmp_path):
    done = _evaluate(finished_run, tmp_path, "auc")
    programs.assert_one_error_line(done, "auc needs", "(10,)")
