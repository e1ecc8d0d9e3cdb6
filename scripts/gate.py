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
from collections.abc import Sequence

from absl import flags

from tflite_opt.comparison import budget, judge, session, stored
from tflite_opt.report import gate_files, gate_text

from . import _cli, _run_flags, _runner_flags, _runtime_flags

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
    baseline = _baseline()
    judge.check(rules, results, baseline)
    measured = session.measure_again(
        rules,
        results,
        baseline,
        _runner_flags.runner(),
        _runtime_flags.runtime_options(),
        _run_flags.run,
    )
    result = judge.judge(rules, results, baseline, measured)
    if _INCONCLUSIVE.value:
        result = result.settled(_INCONCLUSIVE.value)
    for line in gate_files.write(
        result,
        junit_xml=_JUNIT_XML.value,
        markdown=_MARKDOWN.value,
        environment=os.environ,
    ):
        print(line, file=sys.stderr)
    _cli.emit(
        {"verdict": result.verdict, **result.to_json()},
        gate_text.table(result),
    )
    return {"pass": 0, "fail": 1, "inconclusive": 3}[result.verdict]


def _baseline() -> judge.Baseline:
    run, folder = _BASELINE.value, _BASELINE_ARTIFACTS.value
    return judge.Baseline(
        models=stored.load(pathlib.Path(run)) if run else None,
        artifacts=(
            judge.read_artifacts(pathlib.Path(folder)) if folder else None
        ),
    )


if __name__ == "__main__":
    _cli.run(main)
