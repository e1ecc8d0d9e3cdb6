# SPDX-License-Identifier: Apache-2.0
r"""Turns a model into verified, measured .tflite variants.

    python -m scripts.optimize --output_dir=runs/demo

optimizes the trained sample model. With a model and data of your own:

    python -m scripts.optimize --model=my.keras --dataset=npz:my.npz \
        --recipes=float16,dynamic_range,int8 --output_dir=runs/my

Converts, verifies, evaluates on the validation split, measures on this
machine, recommends a variant, evaluates on the test split, and writes the
report. --recipes=auto_int8 --max_accuracy_drop=0.003 looks for the cheapest
int8 that loses at most 0.3 points. Exit code 0 when there is a report, 2 for
bad input.
"""

from collections.abc import Sequence
from typing import get_args

from absl import flags

from tflite_opt import pipeline
from tflite_opt.records import report
from tflite_opt.report import ladder_text, write

from . import (
    _cli,
    _conversion_flags,
    _data_flags,
    _evaluation_flags,
    _fine_tuning_flags,
    _ladder_flags,
    _model_flags,
    _op_profile_flags,
    _parallel_flags,
    _price_flags,
    _run_flags,
    _runner_flags,
    _runtime_flags,
    _training_flags,
)

_OBJECTIVE = flags.DEFINE_enum(
    "objective",
    "balanced",
    list(get_args(report.Objective)),
    "What the recommended variant makes small: size, latency, or both.",
)


def main(arguments: Sequence[str]) -> None:
    """Optimizes what the flags say."""
    _cli.reject_positional(arguments)
    choice = _model_flags.choice()
    if _op_profile_flags.OP_PROFILE.value:
        _runner_flags.require_this_machine("op_profile")
    request = pipeline.Request(
        model=choice,
        data=_data_flags.data_spec(choice.model),
        recipes=_ladder_flags.recipes(),
        ladders=_ladder_flags.ladders(),
        training=_training_flags.training_options(),
        fine_tuning=_fine_tuning_flags.fine_tuning_options(),
        training_processes=_parallel_flags.TRAINING_PROCESSES.value,
        evaluation=_evaluation_flags.evaluation_options(),
        runtime=_runtime_flags.runtime_options(),
        objective=_OBJECTIVE.value,
        runner=_runner_flags.runner(),
        conversion_timeout_s=_conversion_flags.timeout_s(),
        prices=_price_flags.prices(),
        op_profile=_op_profile_flags.OP_PROFILE.value,
    )
    run = _run_flags.run()
    content, paths = pipeline.optimize(request, run)
    logs = ladder_text.logs(run, request.ladders.names)
    text = write.to_text(content, paths)
    _cli.emit(content.to_json(), "\n\n".join([*logs, text]))


if __name__ == "__main__":
    _cli.run(main)
