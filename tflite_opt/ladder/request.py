# SPDX-License-Identifier: Apache-2.0
"""What an automatic recipe is asked for."""

import dataclasses

from tflite_opt.conversion import convert
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.evaluation import evaluate
from tflite_opt.records import benchmark, ladder, training

NAMES = ("auto_int8",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ladders:
    """Which automatic recipes to make.

    Attributes:
        names: Out of `NAMES`.
        target: When to stop.
        may_train: Whether training is the last rung.
        left_out: Names of rungs that are not tried.
        slim: Whether each file is slimmed.
    """

    names: tuple[str, ...] = ()
    target: ladder.Target = ladder.Target()
    may_train: bool = False
    left_out: tuple[str, ...] = ()
    slim: bool = True


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Request:
    """What to climb with.

    Attributes:
        conversion: The model and its data; its recipes are not looked at.
        dataset: The same data, loaded.
        evaluation: How the validation split is judged.
        fine_tuning: How the last rung trains.
        runner: Measures the latency of the rungs; None for not at all.
        runtime: How, but for the number of launches: latency decides nothing
            here.
    """

    conversion: convert.Request
    dataset: dataset_lib.Dataset
    evaluation: evaluate.Options
    fine_tuning: training.TrainingOptions
    runner: benchmark.Runner | None = None
    runtime: benchmark.RuntimeOptions = benchmark.RuntimeOptions()
