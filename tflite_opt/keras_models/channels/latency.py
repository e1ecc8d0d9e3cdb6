# SPDX-License-Identifier: Apache-2.0
"""Predicts the latency of a model whose groups have other widths.

A table holds what each layer takes at some widths: the operations of real
`.tflite` files, timed one by one through the runtime. Between the widths of
the table it is interpolated; the sum is scaled to what the whole file takes.
"""

import dataclasses
import math
import pathlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import macs, selection
from tflite_opt.tflite import (
    facts,
    flatbuffer,
    layer_names,
    splitting,
    timing,
)

# Operations of no layer that multiplies, as additions are.
_OTHERS = ""


class Work:
    """How much each layer has to do, as a function of the groups' widths."""

    def __init__(self, model: Any, groups: groups_lib.Groups) -> None:
        """Reads the model once.

        Args:
            model: A functional or Sequential `tf_keras` model; not modified.
            groups: Of it.
        """
        self._counter = macs.Counter(model, groups)

    def of_layers(self, widths: selection.Widths) -> dict[str, float]:
        """Returns the MACs of each layer, and a number for all without any.

        Args:
            widths: Of all groups.
        """
        others = {_OTHERS: float(sum(widths.values()))}
        return self._counter.macs_of_layers(widths) | others


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """A file of the model at some widths.

    Attributes:
        path: The `.tflite`, with the names of its tensors.
        work: Of its layers; see `Work.of_layers`.
    """

    path: pathlib.Path
    work: Mapping[str, float]


class Table:
    """The latency of each layer at some amounts of work."""

    def __init__(self, trials: Sequence[Trial], layers: Sequence[str]) -> None:
        """Times the operations of files, one by one.

        Args:
            trials: The whole model first.
            layers: Paths of all its layers.

        Raises:
            BenchmarkError: If nothing can be run.
        """
        rows: dict[str, list[tuple[float, float]]] = {}
        for trial in trials:
            for layer, ms in _ms_of_layers(trial, layers).items():
                rows.setdefault(layer, []).append((trial.work[layer], ms))
        self._rows = {layer: _Row(points) for layer, points in rows.items()}
        (whole,) = timing.fastest_ms([trials[0].path], launches=3)
        self._scale = whole / self._sum(trials[0].work)

    def predict_ms(self, work: Mapping[str, float]) -> float:
        """Returns what a whole file is expected to take.

        Args:
            work: Of its layers; see `Work.of_layers`.
        """
        return self._scale * self._sum(work)

    def _sum(self, work: Mapping[str, float]) -> float:
        return sum(row.ms(work[layer]) for layer, row in self._rows.items())


class _Row:
    def __init__(self, points: Iterable[tuple[float, float]]) -> None:
        self._work, ms = np.array(sorted(points)).T
        # More work never takes less time, but for noise.
        self._ms = np.maximum.accumulate(ms)

    def ms(self, work: float) -> float:
        return float(np.interp(work, self._work, self._ms))


def _ms_of_layers(trial: Trial, layers: Sequence[str]) -> dict[str, float]:
    """Returns the latency of all operations of each layer."""
    found = facts.read_facts(trial.path, delegation=False)
    named = layer_names.layers_of_operations(trial.path, found, layers)
    with tempfile.TemporaryDirectory() as name:
        paths = _split(trial.path, pathlib.Path(name))
        fastest = timing.fastest_ms(list(paths.values()))
    totals: dict[str, float] = {}
    for index, ms in zip(paths, fastest, strict=True):
        # Not every operation runs alone; scaling makes up for it.
        if math.isnan(ms):
            continue
        own = [x for x in named[0, index] if x in trial.work]
        # A fused operation does what the layer with the most work does.
        layer = max(own, key=trial.work.__getitem__, default=_OTHERS)
        totals[layer] = totals.get(layer, 0.0) + ms
    return totals


def _split(path: pathlib.Path, folder: pathlib.Path) -> dict[int, pathlib.Path]:
    """Returns files of single operations, by their index."""
    model = flatbuffer.read(path)
    graph = model.subgraphs[0]
    splitter = splitting.Splitter(path)
    paths = {}
    for index, operator in enumerate(graph.operators):
        if operator.callees:
            continue
        given = [
            tensor
            for tensor in dict.fromkeys(operator.inputs)
            if tensor != -1 and not model.is_constant(graph.tensors[tensor])
        ]
        paths[index] = folder / f"{index}.tflite"
        paths[index].write_bytes(
            splitter.extract(range(index, index + 1), given, operator.outputs)
        )
    return paths
