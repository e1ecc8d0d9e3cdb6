# SPDX-License-Identifier: Apache-2.0
r"""Passes or fails the models of a run by a budget, for CI.

    python -m scripts.gate --budget=examples/budget.yaml \
        --results=runs/demo --baseline=runs/main \
        --baseline_artifacts=runs/main/artifacts

Latency is compared with the baseline only by measuring its files again, in
turns with the candidate's; size, accuracy and facts are those of the records.
Exit code 0 when all rules pass, 1 when one fails, 3 when one could not be
decided (see --inconclusive), 2 for bad input. In GitHub Actions the result
also goes to the step summary and, as annotations, to stderr.
"""

import os
import pathlib
import sys
from collections.abc import Mapping, Sequence

from absl import flags

from tflite_opt import stages
from tflite_opt.benchmark import desktop
from tflite_opt.comparison import budget, judge, stored
from tflite_opt.records import files, gate
from tflite_opt.report import gate_text

from . import _cli, _run_flags, _runtime_flags

_BUDGET = flags.DEFINE_string("budget", None, "YAML file.", required=True)
_RESULTS = flags.DEFINE_string(
    "results", None, "Run directory to be judged.", required=True
)
_BASELINE = flags.DEFINE_string(
    "baseline", None, "Run directory that relative rules compare with."
)
_BASELINE_ARTIFACTS = flags.DEFINE_string(
    "baseline_artifacts",
    None,
    "Folder with the baseline's .tflite files, called as the models: measured "
    "again beside the candidate's for relative latency.",
)
_INCONCLUSIVE = flags.DEFINE_enum(
    "inconclusive",
    None,
    ["pass", "fail"],
    "What an open verdict is taken for; by default the exit code is 3.",
)
_JUNIT_XML = flags.DEFINE_string("junit_xml", None, "Also write JUnit XML.")
_MARKDOWN = flags.DEFINE_string(
    "markdown", None, "Also write Markdown, e.g. for a pull request."
)


def main(arguments: Sequence[str]) -> int:
    """Judges the results by the budget."""
    _cli.reject_positional(arguments)
    rules = budget.load(pathlib.Path(_BUDGET.value))
    results = stored.load(pathlib.Path(_RESULTS.value))
    baseline = judge.Baseline(
        models=(
            stored.load(pathlib.Path(_BASELINE.value))
            if _BASELINE.value
            else None
        ),
        artifacts=(
            judge.read_artifacts(pathlib.Path(_BASELINE_ARTIFACTS.value))
            if _BASELINE_ARTIFACTS.value
            else None
        ),
    )
    judge.check(rules, results, baseline)
    measured = _measure(rules, results, baseline)
    result = judge.judge(rules, results, baseline, measured)
    if _INCONCLUSIVE.value:
        result = result.settled(_INCONCLUSIVE.value)
    _write(result)
    _cli.emit(
        {"verdict": result.verdict, **result.to_json()},
        gate_text.table(result),
    )
    return {"pass": 0, "fail": 1, "inconclusive": 3}[result.verdict]


def _measure(
    rules: budget.Budget,
    results: Mapping[str, stored.Evidence],
    baseline: judge.Baseline,
) -> dict[str, stored.Evidence]:
    artifacts = judge.to_measure(rules, results, baseline)
    if not artifacts:
        return {}
    options = _runtime_flags.runtime_options()
    run = _run_flags.run()
    stages.measure(artifacts, desktop.DesktopRunner(), options, run)
    return stored.run(run)


def _write(result: gate.GateResult) -> None:
    markdown = gate_text.markdown(result)
    if _JUNIT_XML.value:
        path = pathlib.Path(_JUNIT_XML.value)
        files.write_bytes(path, gate_text.junit_xml(result))
    if _MARKDOWN.value:
        files.write_text(pathlib.Path(_MARKDOWN.value), markdown)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        # Other steps of the job write there, too.
        with pathlib.Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown)
    if os.environ.get("GITHUB_ACTIONS"):
        for line in gate_text.annotations(result):
            print(line, file=sys.stderr)


if __name__ == "__main__":
    _cli.run(main)
