# SPDX-License-Identifier: Apache-2.0
"""Counts multiply-accumulates and parameters for any widths of the groups.

Only products of inputs with weights and of the tensors of an attention count,
as in `tflite.macs`; padding counts as if it were data. The layers of a loop are
not counted.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import (
    shape_rules,
    surgery,
    tracing,
    weight_rules,
)
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.records import errors


@dataclasses.dataclass(frozen=True, kw_only=True)
class Count:
    """What one example costs, and what a file has to hold.

    Attributes:
        macs: Multiply-accumulates of one inference.
        parameters: Numbers in all weights, the statistics of batch
            normalization among them.
    """

    macs: int
    parameters: int


class Counter:
    """Counts what a model would cost with other widths, without building it."""

    def __init__(self, model: Any, groups: groups_lib.Groups) -> None:
        """Reads the model once.

        Args:
            model: A functional or Sequential `tf_keras` model; not modified.
            groups: Of the model; see `groups.find`.

        Raises:
            ModelError: If its layers form no graph, or a size other than the
                batch is open.
        """
        graph = groups_lib.trace(model).graph
        if any(None in x.shape[1:] for c in graph.calls for x in c.outputs):
            # A model inside does not know what it is called with.
            flat = surgery.shrink(model, groups, {})
            graph = groups_lib.trace(flat).graph
        self._index = {g.name: i for i, g in enumerate(groups.groups)}
        self._whole = np.array([g.size for g in groups.groups], float)
        # The size of an axis is a constant and so much for each unit; the first
        # stands for no axis.
        places = [(g.name, place) for g in groups.groups for place in g.places]
        keys = [(p.layer, p.weight, p.axis) for _, p in places]
        self._axes = {x: i for i, x in enumerate(dict.fromkeys(keys), 1)}
        self._constants = np.zeros(1 + len(self._axes))
        self._constants[0] = 1
        self._slopes = np.zeros((1 + len(self._axes), len(self._index)))
        for (name, place), key in zip(places, keys, strict=True):
            axis = self._axes[key]
            per_unit = (place.units == 0).sum()
            self._slopes[axis, self._index[name]] = per_unit
            self._constants[axis] = len(place.units)
        self._constants -= self._slopes @ self._whole
        products: list[tuple[float, float, list[int]]] = []
        self._layers: list[str] = []
        first: dict[int, graph_lib.Call] = {}
        for call in graph.calls:
            found = self._products(call, first.setdefault(id(call.layer), call))
            products += found
            self._layers += [call.path] * len(found)
        longest = max((len(axes) for *_, axes in products), default=0)
        self._factors = np.array([p[:2] for p in products]).reshape(-1, 2)
        self._operands = np.array(
            [axes + [0] * (longest - len(axes)) for *_, axes in products], int
        ).reshape(len(products), longest)

    def count(self, widths: Mapping[str, int] | None = None) -> Count:
        """Returns the cost.

        Args:
            widths: Units that stay, by name of the group; groups that are not
                there stay whole.
        """
        macs, parameters = self._values(widths or {}) @ self._factors
        return Count(macs=round(macs), parameters=round(parameters))

    def macs_of_layers(self, widths: Mapping[str, int]) -> dict[str, float]:
        """Returns the MACs of each layer that has some.

        Args:
            widths: As for `count`.

        Returns:
            By path of the layer.
        """
        found: dict[str, float] = {}
        macs = self._values(widths) * self._factors[:, 0]
        for layer, value in zip(self._layers, macs.tolist(), strict=True):
            if value:
                found[layer] = found.get(layer, 0.0) + value
        return found

    def _values(self, widths: Mapping[str, int]) -> np.ndarray:
        """Returns the products of sizes that are multiplied by factors."""
        values = self._whole.copy()
        for name, width in widths.items():
            values[self._index[name]] = width
        sizes = self._constants + self._slopes @ values
        found: np.ndarray = sizes[self._operands].prod(axis=1)
        return found

    def _products(
        self, call: graph_lib.Call, first: graph_lib.Call
    ) -> list[tuple[float, float, list[int]]]:
        """Returns factors of MACs and parameters, and the axes they take.

        Args:
            call: Of a layer.
            first: The first call of that layer, which has its parameters.
        """
        layer = call.layer
        found: list[tuple[float, float, list[int]]] = []
        for name, variable in zip(
            tracing.weight_names(layer), layer.weights, strict=True
        ):
            fixed, axes = 1, []
            for axis, size in enumerate(variable.shape):
                key = (first.path, name, axis)
                if key in self._axes:
                    axes.append(self._axes[key])
                else:
                    fixed *= size
            repeats = _uses(call, name)
            found.append((repeats * fixed, fixed * (call is first), axes))
        if call.kind == "MultiHeadAttention":
            tensors = weight_rules.attended(call)
            pairs = _positions(tensors["query"].shape[1:-1]) * _positions(
                tensors["key"].shape[1:-1]
            )
            fixed = pairs * (layer._key_dim + layer._value_dim)
            heads = self._axes.get((first.path, "query/kernel", 1))
            if heads is None:
                found.append((fixed * layer._num_heads, 0, []))
            else:
                found.append((fixed, 0, [heads]))
        return found


def count(
    model: Any,
    groups: groups_lib.Groups,
    widths: Mapping[str, int] | None = None,
) -> Count:
    """Returns the cost of a model; see `Counter`, which answers many times."""
    return Counter(model, groups).count(widths)


def _uses(call: graph_lib.Call, weight: str) -> int:
    """Returns how often each number of a weight is multiplied."""
    if weight.rsplit("/", 1)[-1] not in (
        *("kernel", "depthwise_kernel", "pointwise_kernel"),
    ):
        return 0
    if call.kind == "MultiHeadAttention":
        tensors = weight_rules.attended(call)
        part = weight.split("/")[0]
        value = tensors.get(part, tensors["query"])
        return _positions(value.shape[1:-1])
    if call.kind == "EinsumDense":
        inputs, kernel, _ = weight_rules.einsum_letters(call)
        shared = (
            size
            for letter, size in zip(
                kernel, call.layer.kernel.shape, strict=True
            )
            if letter in inputs
        )
        return _positions(call.inputs[0].shape[1:]) // math.prod(shared)
    if call.kind == "Dense":
        return _positions(call.output.shape[1:-1])
    if "Conv" not in call.kind:
        return 0
    value = call.inputs[0] if "Transpose" in call.kind else call.output
    axis = shape_rules.channel_axis(call)
    return _positions(
        [n for i, n in enumerate(value.shape) if i not in (0, axis)]
    )


def _positions(sizes: Sequence[int | None]) -> int:
    if None in sizes:
        raise errors.ModelError(
            "To count MACs, all sizes but the batch must be known. "
            f"Received: {tuple(sizes)}. Build the model for one input size."
        )
    return math.prod(sizes)  # type: ignore[arg-type]
