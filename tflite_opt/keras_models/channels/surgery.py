# SPDX-License-Identifier: Apache-2.0
"""Builds a model without the channels that go."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import tracing
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.keras_models.support import base
from tflite_opt.records import errors

# Settings of a layer that change, and its weights.
Remade = tuple[dict[str, Any], list[np.ndarray]]

# Settings of layers that follow from the sizes of their weights: the weight,
# its axis.
_SIZES = {
    "Conv1D": {"filters": ("kernel", 2)},
    "Conv2D": {"filters": ("kernel", 3)},
    "Conv3D": {"filters": ("kernel", 4)},
    "Conv1DTranspose": {"filters": ("kernel", 1)},
    "Conv2DTranspose": {"filters": ("kernel", 2)},
    "Conv3DTranspose": {"filters": ("kernel", 3)},
    "SeparableConv1D": {"filters": ("pointwise_kernel", 2)},
    "SeparableConv2D": {"filters": ("pointwise_kernel", 3)},
    "Dense": {"units": ("kernel", 1)},
    "Embedding": {"output_dim": ("embeddings", 1)},
    "LayerScale": {"projection_dim": ("gamma", 0)},
    "MultiHeadAttention": {
        "num_heads": ("query/kernel", 1),
        "output_shape": ("attention_output/kernel", 2),
    },
}


def shrink(
    model: Any,
    groups: groups_lib.Groups,
    keep: Mapping[str, np.ndarray],
) -> Any:
    """Returns a model without the units that are not kept.

    Its layers have the names and paths they had; those of a model inside a
    model stand in it themselves, under the name `outer/inner`.

    Args:
        model: A functional or Sequential `tf_keras` model; not modified.
        groups: Of the model; see `groups.find`.
        keep: By name of the group, which units stay: integers, ascending,
            shape `(kept,)`. Groups that are not there stay whole.

    Returns:
        A functional `tf_keras` model, not compiled, with the same names and
        shapes of inputs and outputs.

    Raises:
        InputError: If `keep` does not fit the groups.
        ModelError: If the model's layers form no graph.
    """
    trace = groups_lib.trace(model)
    kept = Kept(trace, groups, keep)
    remake(trace.graph, kept.smaller)
    return graph_lib.build(trace.graph)[0]


class Kept:
    """What stays of a model.

    Attributes:
        trace: Of the model.
    """

    def __init__(
        self,
        trace: tracing.Trace,
        groups: groups_lib.Groups,
        keep: Mapping[str, np.ndarray],
    ) -> None:
        """Finds what stays of each weight and tensor.

        Raises:
            InputError: If `keep` does not fit the groups.
        """
        _check(groups, keep)
        self.trace = trace
        self._masks: dict[tuple[str, str, int], np.ndarray] = {}
        for group in groups.groups:
            stays = np.ones(group.size, bool)
            if group.name in keep:
                stays[:] = False
                stays[keep[group.name]] = True
            for place in group.places:
                key = (place.layer, place.weight, place.axis)
                mask = self._masks.setdefault(
                    key, np.ones(len(place.units), bool)
                )
                own = place.units >= 0
                mask[own] &= stays[place.units[own]]
        units = trace.units()
        removed = np.zeros(len(units), bool)
        for traced in trace.places:
            key = (traced.layer, traced.weight, traced.axis)
            if key in self._masks:
                removed[units[traced.atoms[~self._masks[key]]]] = True
        self._stays = ~removed[units]

    def smaller(self, call: graph_lib.Call) -> Remade:
        """Returns how the layer of a call is made without what goes."""
        names = tracing.weight_names(call.layer)
        weights = {
            name: self._sliced(call, name, array)
            for name, array in zip(names, call.get_weights(), strict=True)
        }
        settings: dict[str, Any] = {
            setting: weights[weight].shape[axis]
            for setting, (weight, axis) in _SIZES.get(call.kind, {}).items()
        }
        if "filters" in settings and call.layer.groups > 1:
            # A group is as wide as it was; there are fewer.
            settings["groups"] = (
                call.layer.groups * settings["filters"] // call.layer.filters
            )
        if call.kind == "Reshape":
            settings["target_shape"] = [
                -1 if size is None else size for size in self._sizes(call)
            ]
        if call.kind == "EinsumDense":
            given = len(call.layer.partial_output_shape)
            settings["output_shape"] = self._sizes(call)[-given:]
        return settings, list(weights.values())

    def _sliced(
        self, call: graph_lib.Call, weight: str, array: np.ndarray
    ) -> np.ndarray:
        for axis in range(array.ndim):
            mask = self.along(call, weight, axis)
            if mask is not None:
                array = array.compress(mask, axis)
        return array

    def _sizes(self, call: graph_lib.Call) -> tuple[int | None, ...]:
        """Returns the shape of the output without what goes and the batch."""
        stays = self.mask(call.output)
        return tuple(
            size
            if size is None or stays.shape[axis] == 1
            else int(np.moveaxis(stays, axis, 0).reshape(size, -1).any(1).sum())
            for axis, size in enumerate(call.output.shape)
            if axis > 0
        )

    def along(
        self, call: graph_lib.Call, weight: str, axis: int
    ) -> np.ndarray | None:
        """Returns what stays along an axis of a weight.

        Returns:
            Shape `(size of the axis,)`, bool; None for all of it.
        """
        return self._masks.get((call.path, weight, axis))

    def mask(self, value: graph_lib.Value) -> np.ndarray:
        """Returns which elements of a tensor stay; see `Trace.atoms`."""
        return self._stays[self.trace.atoms[value]]


def _check(groups: groups_lib.Groups, keep: Mapping[str, np.ndarray]) -> None:
    """Checks that what is kept can be.

    Raises:
        InputError: If a group is unknown, or its indices are not ascending
            integers of units, one at least.
    """
    sizes = {group.name: group.size for group in groups.groups}
    for name, indices in keep.items():
        if name not in sizes:
            raise errors.InputError(
                f"`keep` must name groups of the model. Received: {name!r}. "
                f"Known: {', '.join(sizes) or 'none'}."
            )
        found = np.asarray(indices)
        is_valid = (
            found.ndim == 1
            and found.size > 0
            and np.issubdtype(found.dtype, np.integer)
            and bool((np.diff(found) > 0).all())
            and 0 <= found[0] <= found[-1] < sizes[name]
        )
        if not is_valid:
            raise errors.InputError(
                f"`keep` of {name!r} must be ascending integers in "
                f"[0, {sizes[name]}), one at least. Received: {found.tolist()}."
            )


def remake(
    graph: graph_lib.Graph, change: Callable[[graph_lib.Call], Remade]
) -> None:
    """Gives a graph layers of its own, under their paths.

    Args:
        graph: Of a model, which stays as it is.
        change: Returns the settings and weights of a call's new layer.
    """
    remade: dict[int, tuple[Any, list[np.ndarray]]] = {}
    for call in graph.calls:
        old = call.layer
        if id(old) not in remade:
            settings, weights = change(call)
            remade[id(old)] = _layer(call, settings), weights
        call.layer, call.weights = remade[id(old)]


def _layer(call: graph_lib.Call, settings: Mapping[str, Any]) -> Any:
    kind = type(call.layer)
    try:
        config = call.layer.get_config() | dict(settings) | {"name": call.path}
        if call.kind == "MultiHeadAttention":
            # It would build itself for the shapes that it had.
            for name in ("query_shape", "key_shape", "value_shape"):
                config.pop(name, None)
            return kind(**config)
        return kind.from_config(config)
    except base.refusals() as error:
        raise errors.ModelError(
            "Each layer must be made again from its configuration. Received: "
            f"{call.path!r} ({call.kind}), which cannot: "
            f"{base.first_line(error)}"
        ) from error
