# SPDX-License-Identifier: Apache-2.0
import re
import shutil

import pytest

from tests.scripts import programs
from tflite_opt.comparison import run_comparison
from tflite_opt.records import errors


def test_a_report_with_a_baseline_compares_all_models(finished_run, copied_run):
    done = programs.run(
        "report", str(copied_run.root), f"--baseline={finished_run.root}"
    )
    assert done.returncode == 0, done.stderr
    page = copied_run.path("report", "comparison.html")
    assert done.stdout.endswith(f"Comparison: {page}\n")
    text = page.read_text()
    assert "Of 5 models: " in text
    assert "as fast as before" in text or "undecided latency" in text


def test_runs_without_a_common_measured_model_are_refused(
    finished_run, copied_run
):
    shutil.rmtree(copied_run.path("benchmarks"))
    message = "Both runs must have measured a model that they share."
    with pytest.raises(errors.InputError, match=re.escape(message)):
        run_comparison.write(finished_run, copied_run)


def test_a_baseline_must_be_a_run(copied_run, tmp_path):
    done = programs.run(
        "report", str(copied_run.root), f"--baseline={tmp_path}"
    )
    programs.assert_one_error_line(done, "manifest.json")


def test_a_report_is_about_one_run():
    done = programs.run("report", "a", "b")
    programs.assert_one_error_line(done, "Give one run", "Received: a b.")
