# SPDX-License-Identifier: Apache-2.0
import json
import shutil

import pytest

from tests.scripts import programs


def _budget(tmp_path, text):
    path = tmp_path / "budget.yaml"
    path.write_text(text)
    return f"--budget={path}"


def _gate(tmp_path, text, run, *flags):
    budget = _budget(tmp_path, text)
    return programs.run("gate", budget, f"--results={run.root}", *flags)


@pytest.mark.parametrize(
    ("limit", "flags", "code"),
    [
        ("accuracy: {top1: 90 %}", [], 0),
        ("size_bytes: 10 kB", [], 1),
        # The runs of tests have three launches: too few for an interval.
        ("latency_ms: 1 s", [], 3),
        ("latency_ms: 1 s", ["--inconclusive=pass"], 0),
        ("latency_ms: 1 s", ["--inconclusive=fail"], 1),
    ],
)
def test_the_exit_code_is_the_verdict(
    finished_run, tmp_path, limit, flags, code
):
    text = f"models: {{int8: {{{limit}}}}}"
    done = _gate(tmp_path, text, finished_run, "--output=json", *flags)
    assert done.returncode == code, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == {0: "pass", 1: "fail", 3: "inconclusive"}[code]
    assert len(found["rules"]) == 1


def test_all_outputs_are_written(finished_run, tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("Before.\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    baseline = tmp_path / "main"
    shutil.copytree(finished_run.root, baseline)
    done = _gate(
        tmp_path,
        "models: {int8: {size_bytes: 1 kB, relative: {latency: +90 %, "
        "accuracy: 2 points, size: 0 %}}}",
        finished_run,
        f"--baseline={baseline}",
        f"--baseline_artifacts={baseline / 'artifacts'}",
        f"--output_dir={tmp_path / 'out'}",
        f"--junit_xml={tmp_path / 'gate.xml'}",
        f"--markdown={tmp_path / 'gate.md'}",
        "--launches=4",
        "--num_runs=5",
        "--min_secs=0",
        "--warmup_min_secs=0",
    )
    assert done.returncode == 1, done.stderr
    rules = [x.split()[1] for x in done.stdout.splitlines()[2:6]]
    assert rules == [
        "size_bytes",
        "relative.size",
        "relative.accuracy",
        "relative.latency",
    ]
    assert 'tests="4" failures="1"' in (tmp_path / "gate.xml").read_text()
    markdown = (tmp_path / "gate.md").read_text()
    assert markdown.startswith("### Gate: fail")
    assert summary.read_text() == "Before.\n" + markdown
    assert "::error title=int8 size_bytes::45,792, limit" in done.stderr
    kept = {path.stem for path in (tmp_path / "out/benchmarks").glob("*.json")}
    assert kept == {"int8", "int8.baseline"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("models: {int8: {sice: 3}}", ["sice", "size_bytes"]),
        ("models: {int7: {partitions: 1}}", ["'int7'", "int8"]),
        (
            "models: {int8: {relative: {latency: 3 %}}}",
            ["relative.latency", "--baseline_artifacts"],
        ),
        (
            "models: {int8: {latency_ms: [{max: 1, num_threads: 64}]}}",
            ["num_threads=1", "num_threads=64"],
        ),
    ],
)
def test_bad_input_is_one_line(finished_run, tmp_path, text, parts):
    done = _gate(tmp_path, text, finished_run)
    programs.assert_one_error_line(done, *parts)


def test_results_must_be_a_run(tmp_path):
    budget = _budget(tmp_path, "models: {a: {partitions: 1}}")
    done = programs.run("gate", budget, f"--results={tmp_path}")
    programs.assert_one_error_line(done, "manifest.json")
