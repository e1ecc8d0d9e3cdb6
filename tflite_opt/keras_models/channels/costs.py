# SPDX-License-Identifier: Apache-2.0
"""What a model costs, as a function of the widths of its groups."""

import abc
import dataclasses
import math
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.channels import budget as budget_lib
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import latency, macs, selection, surgery
from tflite_opt.records import channel_budget, conversion, errors
from tflite_opt.tflite import slimming, timing

# Fractions of each group at which files of the model are measured.
_TRIAL_FRACTIONS = (0.75, 0.5, 0.25)
_LAUNCHES = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tolerance:
    """When a budget is met, as fractions of it.

    Attributes:
        low: Less is worth another attempt.
        high: More is worth another attempt.
        highest: More is refused.
    """

    low: float
    high: float
    highest: float


# What is promised of the latency is 10 %; measuring it again takes a part.
_TOLERANCES: dict[channel_budget.Kind, Tolerance] = {
    "file_bytes": Tolerance(low=0.94, high=1.0, highest=1.0),
    "latency": Tolerance(low=0.94, high=1.04, highest=1.1),
}


class Costs(abc.ABC):
    """One quantity of a model.

    Attributes:
        whole: Of the model that everything is compared with.
        tolerance: Of a quantity that can only be predicted, and so must be
            confirmed by `measure`; None for one that is counted.
    """

    whole: float
    tolerance: Tolerance | None = None

    @abc.abstractmethod
    def of(
        self, model: Any, groups: groups_lib.Groups, choices: selection.Choices
    ) -> budget_lib.Cost:
        """Returns the quantity as a function of widths.

        Args:
            model: The whole model, or one that has already lost something.
            groups: Of it.
            choices: Of it.
        """

    @abc.abstractmethod
    def measure(self, model: Any) -> float:
        """Returns the quantity of a model as it is."""


class Counted(Costs):
    """A quantity that only counts: channels, MACs or parameters."""

    def __init__(
        self,
        kind: channel_budget.Kind,
        model: Any,
        groups: groups_lib.Groups,
    ) -> None:
        """Counts in the whole model.

        Args:
            kind: One that is not measured.
            model: The whole model.
            groups: Of it.
        """
        self._kind = kind
        self.whole = self._counter(model, groups)(
            {group.name: group.size for group in groups.groups}
        )

    def of(
        self, model: Any, groups: groups_lib.Groups, choices: selection.Choices
    ) -> budget_lib.Cost:
        """Counts without building anything."""
        return self._counter(model, groups)

    def measure(self, model: Any) -> float:
        """Counts in a model."""
        groups = groups_lib.find(model)
        return self._counter(model, groups)(
            {group.name: group.size for group in groups.groups}
        )

    def _counter(
        self, model: Any, groups: groups_lib.Groups
    ) -> budget_lib.Cost:
        if self._kind == "channels":
            channels = {x.name: channels_per_unit(x) for x in groups.groups}
            return lambda widths: sum(
                channels[name] * width for name, width in widths.items()
            )
        counter = macs.Counter(model, groups)
        if self._kind == "macs":
            return lambda widths: counter.count(widths).macs
        return lambda widths: counter.count(widths).parameters


class Measured(Costs):
    """A quantity of the model's `.tflite`: its bytes or its latency."""

    def __init__(
        self,
        kind: channel_budget.Kind,
        model: Any,
        dtype: channel_budget.Dtype,
        converter: conversion.TrialConverter,
        folder: pathlib.Path,
    ) -> None:
        """Makes the file of the whole model.

        Args:
            kind: `file_bytes` or `latency`.
            model: The whole model.
            dtype: Of its file.
            converter: Makes files.
            folder: For them.
        """
        self.tolerance = _TOLERANCES[kind]
        self._kind = kind
        self._dtype = dtype
        self._converter = converter
        self._folder = folder
        self._path = self._file("whole", model)
        self._table: latency.Table | None = None
        self._bytes: list[tuple[int, float]] = []
        self.whole = self._measure(self._path)

    def of(
        self, model: Any, groups: groups_lib.Groups, choices: selection.Choices
    ) -> budget_lib.Cost:
        """Interpolates between files of the model at some widths.

        They are made for the first model that is asked about.
        """
        if self._kind == "file_bytes":
            return self._predicted_bytes(model, groups, choices)
        work = latency.Work(model, groups)
        if self._table is None:
            trials = [
                latency.Trial(path=path, work=work.of_layers(widths))
                for path, widths in self._trials(model, groups, choices)
            ]
            layers = [path for path, _ in layer_support.walk(model)]
            self._table = latency.Table(trials, layers)
        table = self._table
        return lambda widths: table.predict_ms(work.of_layers(widths))

    def measure(self, model: Any) -> float:
        """Converts a model, and measures its file beside the whole one's."""
        return self._measure(self._file("candidate", model))

    def _predicted_bytes(
        self, model: Any, groups: groups_lib.Groups, choices: selection.Choices
    ) -> budget_lib.Cost:
        counter = macs.Counter(model, groups)

        def parameters(widths: selection.Widths) -> int:
            return counter.count(widths).parameters

        if not self._bytes:
            self._bytes = sorted(
                (parameters(widths), self._measure(path))
                for path, widths in self._trials(model, groups, choices)
            )
        known, sizes = zip(*self._bytes, strict=True)
        return lambda widths: float(np.interp(parameters(widths), known, sizes))

    def _trials(
        self, model: Any, groups: groups_lib.Groups, choices: selection.Choices
    ) -> list[tuple[pathlib.Path, dict[str, int]]]:
        """Returns files of a model and the widths of its groups in them."""
        found = [(self._file("trial", model), choices.sizes)]
        for fraction in _TRIAL_FRACTIONS:
            widths = choices.evenly(fraction)
            smaller = surgery.shrink(model, groups, choices.keep(widths))
            path = self._file(f"trial{fraction}", smaller)
            found.append((path, widths))
        return found

    def _file(self, name: str, model: Any) -> pathlib.Path:
        path = self._folder / f"{name}.tflite"
        self._converter.convert(model, self._dtype, path)
        return path

    def _measure(self, path: pathlib.Path) -> float:
        if self._kind == "file_bytes":
            return len(slimming.slim(path).content)
        if path == self._path:
            return _fastest_ms([path])[0]
        # In turns, so that whatever slows one slows the other.
        whole, found = _fastest_ms([self._path, path])
        return self.whole * found / whole


def _fastest_ms(paths: Sequence[pathlib.Path]) -> tuple[float, ...]:
    found = timing.fastest_ms(paths, launches=_LAUNCHES)
    if any(map(math.isnan, found)):
        raise errors.BenchmarkError(
            "The interpreter must be able to run the model for its latency to "
            "be measured. Received: a file that it cannot run."
        )
    return found


def channels_per_unit(group: groups_lib.Group) -> int:
    """Returns the channels of its first producer that a unit stands for."""
    units = group.places[0].units
    return int(np.count_nonzero(units >= 0)) // group.size
