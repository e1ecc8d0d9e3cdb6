# SPDX-License-Identifier: Apache-2.0
r"""Finds the artifacts that nothing beats in accuracy, latency and size.

    python -m scripts.search --output_dir=runs/search --max_accuracy_drop=0.005

searches for the trained sample model. With limits, and the model of your own:

    python -m scripts.search --model=my.keras --dataset=npz:my.npz \
        --max_bytes=100000 --max_latency_ms=5 --output_dir=runs/my_search

It can be stopped at any time: --resume goes on with the same trials. Another
terminal watches with --watch --output_dir=runs/my_search. Exit code 0 when
something meets the limits, 1 when nothing does, 2 for bad input.
"""

import time
from collections.abc import Sequence
from typing import Any, get_args

from absl import flags

from tflite_opt.records import report
from tflite_opt.records import search as search_record
from tflite_opt.report import search_text, write
from tflite_opt.search import search

from . import (
    _cli,
    _data_flags,
    _evaluation_flags,
    _fine_tuning_flags,
    _model_flags,
    _run_flags,
    _runtime_flags,
    _search_flags,
    _training_flags,
)

_OBJECTIVE = flags.DEFINE_enum(
    "objective",
    "balanced",
    list(get_args(report.Objective)),
    "What the recommended artifact makes small: size, latency, or both.",
)
_WATCH = flags.DEFINE_boolean(
    "watch", False, "Show the trials of a search until it is over, and no more."
)
_INTERVAL_S = 2.0


def main(arguments: Sequence[str]) -> int:
    """Searches, or watches a search."""
    _cli.reject_positional(arguments)
    if _WATCH.value:
        return _watch()
    choice = _model_flags.choice()
    evaluation = _evaluation_flags.evaluation_options()
    executor, runner = _search_flags.executor_and_runner()
    request = search.Request(
        model=choice,
        data=_data_flags.data_spec(choice.model),
        limits=_search_flags.limits(evaluation.max_accuracy_drop),
        training=_training_flags.training_options(),
        fine_tuning=_fine_tuning_flags.fine_tuning_options(),
        evaluation=evaluation,
        runtime=_runtime_flags.runtime_options(),
        runner=runner,
        objective=_OBJECTIVE.value,
        techniques=_search_flags.techniques(),
        num_trials=_search_flags.NUM_TRIALS.value,
        batch_size=_search_flags.TRIAL_BATCH.value,
        seed=_search_flags.SEARCH_SEED.value,
        subset=_search_flags.SUBSET.value,
        conversion_timeout_s=_search_flags.CONVERSION_TIMEOUT_S.value,
        measurements=_search_flags.measurements(),
    )
    run = _run_flags.run()
    found = search.search(request, run, executor)
    content, paths = write.write_report(run)
    text = search_text.result(found, search.outcomes(run), request.limits)
    _cli.emit(found.to_json(), f"{write.to_text(content, paths)}\n\n{text}")
    return 0 if found.chosen else 1


def _watch() -> int:
    run = _run_flags.existing_run()
    shown = ""
    while True:
        is_over = search.is_over(run)
        trials = search.trials(run)
        text = f"{search_text.trials(trials)}\n{search_text.progress(trials)}"
        if text != shown:
            _cli.emit([_document(*trial) for trial in trials], text)
            shown = text
        # A JSON document is one.
        if is_over or flags.FLAGS.output == "json":
            return 0
        time.sleep(_INTERVAL_S)


def _document(
    proposal: search_record.Proposal, outcome: search_record.Outcome | None
) -> dict[str, Any]:
    return {
        "trial": proposal.to_json(),
        "outcome": outcome.to_json() if outcome else None,
    }


if __name__ == "__main__":
    _cli.run(main)
