# SPDX-License-Identifier: Apache-2.0
"""What one process of a search is told, and who starts such processes."""

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from tflite_opt.data import dataset as dataset_lib
from tflite_opt.evaluation import evaluate
from tflite_opt.records import model_spec, search, serialization, training


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job(serialization.Record):
    """Recipes to carry out one after the other, as they share a beginning.

    Attributes:
        model: What they start from.
        data: The data set.
        data_fingerprint: Hash of all its splits.
        versions: Package versions of the process that asks.
        fine_tuning: How techniques train, where they do not say otherwise.
        metric: What is judged.
        max_accuracy_drop: The limit.
        num_workers: Interpreters in parallel during evaluation.
        subset: Validation examples that are looked at first.
        conversion_timeout_s: Longest time for one conversion.
        recipes: In `Recipe.to_json`'s form.
        base: Run directory with the float32 variant; not modified.
        work: Run directory of this beginning, begun as a copy of `base`.
        made: Gets a folder for each recipe.
    """

    model: model_spec.ModelSpec
    data: dataset_lib.DataSpec
    data_fingerprint: str
    versions: dict[str, str]
    fine_tuning: training.TrainingOptions
    metric: str
    max_accuracy_drop: float
    num_workers: int
    subset: int
    conversion_timeout_s: float
    recipes: tuple[Any, ...]
    base: pathlib.Path
    work: pathlib.Path
    made: pathlib.Path

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the recipes."""
        return tuple(recipe["name"] for recipe in self.recipes)

    @property
    def log(self) -> pathlib.Path:
        """What libraries print while it is carried out."""
        return self.work.parent / "logs" / f"{self.work.name}.log"

    @property
    def evaluation(self) -> evaluate.Options:
        """How accuracy is judged."""
        return evaluate.Options(
            metric=self.metric,
            max_accuracy_drop=self.max_accuracy_drop,
            num_workers=self.num_workers,
        )


class Executor(Protocol):
    """Carries jobs out: on this machine, or on a cluster."""

    def make(self, jobs: Sequence[Job]) -> Iterator[search.Outcome]:
        """Yields an outcome for each recipe of each job, in any order.

        What a recipe gave is in its folder by then, unless it failed.

        Raises:
            ExecutionError: If processes or hosts were lost again and again.
            TfliteOptError: What every recipe would meet.
        """
        ...
