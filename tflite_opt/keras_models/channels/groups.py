# SPDX-License-Identifier: Apache-2.0
"""Finds which channels of a model can be removed, and which go together.

The graph is followed from the layers that make channels to those that take
them in. A channel that several layers share, because they are added or
multiplied, goes from all of them or from none. What cannot be followed is kept
whole, with the reason.

References:
    Fang et al., "DepGraph: Towards Any Structural Pruning", 2023.
    https://arxiv.org/abs/2301.12900
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models.channels import tracing
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.keras_models.support import base
from tflite_opt.records import errors


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Place:
    """Where the channels of a group lie along an axis of a weight.

    Attributes:
        layer: Path of the layer.
        weight: Its name in the layer; see `kernels.short_names`.
        axis: Of the weight, not negative.
        units: Shape `(size of the axis,)`, int64: which unit of the group
            each index belongs to; -1 for those of no unit or of another group.
    """

    layer: str
    weight: str
    axis: int
    units: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Group:
    """Units of which each can be removed alone, and all in the same way.

    A unit is what goes together: mostly one channel of each producer, but a
    whole group of a group convolution and a whole attention head.

    Attributes:
        name: Path of the first producer; with `#2` and so on if not all of
            its channels are in one group.
        size: Number of units.
        producers: Kernels and biases that make the channels.
        followers: What works on each channel alone: normalization, depthwise
            kernels, slopes.
        consumers: Kernels that take the channels in.
        normalized_by: Paths of the layers that normalize over the channels.
            Without some, the statistics of the others change, so the smaller
            model is not the original with zeros but with fewer terms.
    """

    name: str
    size: int
    producers: tuple[Place, ...]
    followers: tuple[Place, ...]
    consumers: tuple[Place, ...]
    normalized_by: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """All places."""
        return (*self.producers, *self.followers, *self.consumers)

    @property
    def layers(self) -> tuple[str, ...]:
        """Paths of all layers whose weights change, each once."""
        return tuple(dict.fromkeys(place.layer for place in self.places))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kept:
    """A layer that makes channels of which some cannot be removed.

    Attributes:
        layer: Its path.
        reason: Why, as a sentence.
    """

    layer: str
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Groups:
    """What can be removed of a model.

    Attributes:
        groups: In the order of their first producers.
        kept: Layers that are not followed, then others in the model's order.
    """

    groups: tuple[Group, ...]
    kept: tuple[Kept, ...]

    def __getitem__(self, name: str) -> Group:
        """Returns the group of a name."""
        return {group.name: group for group in self.groups}[name]


def find(model: Any) -> Groups:
    """Returns the groups of a model.

    Args:
        model: A built functional or Sequential `tf_keras` model, which may
            have models inside; not modified.

    Raises:
        ModelError: If its layers form no graph.
    """
    units = _Units(trace(model))
    return Groups(groups=units.groups(), kept=units.kept())


def trace(model: Any) -> tracing.Trace:
    """Follows the channels of a model.

    Args:
        model: A functional or Sequential `tf_keras` model; not modified as
            long as no model is built of its layers.

    Raises:
        ModelError: If its layers form no graph.
    """
    if not base.has_graph(model):
        raise errors.ModelError(
            "Channels can be removed only from a functional or Sequential "
            f"model. Received: {model.name!r}, a subclassed model or one that "
            "was never built. Build it with the functional API."
        )
    return tracing.trace(graph_lib.read(model, rename=False))


class _Units:
    """Sorts the units of a trace by where they lie."""

    def __init__(self, trace: tracing.Trace) -> None:
        self._trace = trace
        self._of_atom = trace.units()
        self._reasons = trace.reasons(self._of_atom)
        self._places = [
            (place, self._of_atom[place.atoms]) for place in trace.places
        ]

    def groups(self) -> tuple[Group, ...]:
        # Units that lie in the same places, as often in each, are alike.
        signatures: dict[int, list[tuple[int, int]]] = {}
        for index, (_, units) in enumerate(self._places):
            found, counts = np.unique(units, return_counts=True)
            for unit, count in zip(
                found.tolist(), counts.tolist(), strict=True
            ):
                signatures.setdefault(unit, []).append((index, count))
        alike: dict[tuple[tuple[int, int], ...], list[int]] = {}
        for unit, signature in signatures.items():
            if unit not in self._reasons:
                alike.setdefault(tuple(signature), []).append(unit)
        names: dict[str, int] = {}
        return tuple(
            self._group(units, [index for index, _ in signature], names)
            for signature, units in sorted(alike.items())
            if len(units) > 1
        )

    def kept(self) -> tuple[Kept, ...]:
        found = {
            path: Kept(layer=path, reason=reason)
            for path, reason in self._trace.unfollowed.items()
        }
        for place, units in self._places:
            if place.role != "producer" or place.layer in found:
                continue
            reasons = [
                self._reasons[unit]
                for unit in units.tolist()
                if unit in self._reasons
            ]
            if len(set(units.tolist())) == 1:
                reasons.append("All its channels go together.")
            if reasons:
                found[place.layer] = Kept(layer=place.layer, reason=reasons[0])
        return tuple(found.values())

    def _group(
        self,
        units: Sequence[int],
        places: Iterable[int],
        names: dict[str, int],
    ) -> Group:
        number = np.full(len(self._of_atom), -1, np.int64)
        number[np.sort(units)] = np.arange(len(units))
        by_role: dict[str, list[Place]] = {}
        for index in places:
            place, of_axis = self._places[index]
            by_role.setdefault(place.role, []).append(
                Place(
                    layer=place.layer,
                    weight=place.weight,
                    axis=place.axis,
                    units=number[of_axis],
                )
            )
        name = (by_role.get("producer") or by_role["follower"])[0].layer
        names[name] = names.get(name, 0) + 1
        inside = set(units)
        return Group(
            name=name if names[name] == 1 else f"{name}#{names[name]}",
            size=len(units),
            producers=tuple(by_role.get("producer", ())),
            followers=tuple(by_role.get("follower", ())),
            consumers=tuple(by_role.get("consumer", ())),
            normalized_by=tuple(
                dict.fromkeys(
                    call.path
                    for call, atoms in self._trace.statistics
                    if inside & set(self._of_atom[atoms].tolist())
                )
            ),
        )
