# SPDX-License-Identifier: Apache-2.0
"""Follows channels through the calls of a model.

Every channel that a layer makes is an atom, a number. A tensor has, for each
of its elements, the atom that the element belongs to. Atoms that can only be
removed together are tied. What a layer does to atoms is the business of
`rules`.
"""

import dataclasses
from typing import Any, Literal

import numpy as np

from tflite_opt.keras_models import kernels
from tflite_opt.keras_models.rewriting import graph as graph_lib

Role = Literal["producer", "follower", "consumer"]

# The atom of everything that cannot be removed.
FIXED = 0


@dataclasses.dataclass(frozen=True, eq=False)
class AtomPlace:
    """The atoms along one axis of a weight.

    Attributes:
        layer: Path of the layer.
        weight: Its name in the layer.
        axis: Not negative.
        atoms: Shape `(size of the axis,)`.
        role: What the layer does to the channels.
    """

    layer: str
    weight: str
    axis: int
    atoms: np.ndarray
    role: Role


class Trace:
    """The atoms of a model and where they lie.

    Attributes:
        graph: Of the model.
        places: In the order of the calls.
        atoms: Of each tensor: an array with the tensor's number of axes, the
            batch first; of size 1 along axes on which all indices are alike.
        statistics: Calls that normalize over channels, and their atoms.
        consumed: The tensors whose channels a call takes in.
        unfollowed: Paths of layers with kernels that have no rule, and why.
    """

    def __init__(self, graph: graph_lib.Graph) -> None:
        """Starts with the inputs, which are fixed."""
        self.graph = graph
        self.places: list[AtomPlace] = []
        self.statistics: list[tuple[graph_lib.Call, np.ndarray]] = []
        self.consumed: dict[graph_lib.Call, set[graph_lib.Value]] = {}
        self.unfollowed: dict[str, str] = {}
        self.atoms: dict[graph_lib.Value, np.ndarray] = {}
        self._count = 1
        self._ties: list[tuple[np.ndarray, np.ndarray]] = []
        self._fixed: list[tuple[np.ndarray, str]] = []
        self._known: dict[tuple[int, str, int], AtomPlace] = {}
        for value in graph.inputs.values():
            self.atoms[value] = fixed_atoms(value)

    def new(self, count: int) -> np.ndarray:
        """Returns new atoms, shape `(count,)`."""
        first, self._count = self._count, self._count + count
        return np.arange(first, self._count)

    def tie(self, first: np.ndarray, second: np.ndarray) -> None:
        """Ties atoms one to one.

        Args:
            first: Atoms, any shape.
            second: Likewise.
        """
        first, second = first.ravel(), second.ravel()
        for atoms, others in ((first, second), (second, first)):
            if (others == FIXED).any():
                reason = "They are joined with what cannot be removed."
                self.fix(atoms[others == FIXED], reason)
        loose = (first != FIXED) & (second != FIXED)
        self._ties.append((first[loose], second[loose]))

    def fix(self, atoms: np.ndarray, reason: str) -> None:
        """Says that atoms cannot be removed.

        Args:
            atoms: Any shape.
            reason: A sentence.
        """
        self._fixed.append((atoms.ravel(), reason))

    def keep(self, call: graph_lib.Call, reason: str) -> None:
        """Says that a call is not followed.

        Args:
            call: Its inputs are fixed, and so are its outputs.
            reason: A sentence.
        """
        for value in call.inputs:
            self.fix(self.atoms[value], f"They go into {call.path}. {reason}")
        for value in call.outputs:
            self.atoms[value] = fixed_atoms(value)
        if any(len(weight.shape) > 1 for weight in call.layer.weights):
            self.unfollowed.setdefault(call.path, reason)

    def keep_outputs(self) -> None:
        """Fixes the model's outputs, before all other reasons."""
        reason = "The model's outputs keep their size."
        self._fixed[:0] = [
            (self.atoms[value].ravel(), reason)
            for value in graph_lib.values_in(self.graph.outputs)
        ]

    def channels(
        self, call: graph_lib.Call, value: graph_lib.Value, axis: int
    ) -> np.ndarray:
        """Returns the atoms along an axis of a tensor that a call takes.

        Fixes them if they differ along another axis.

        Returns:
            Shape `(size of the axis,)`.
        """
        atoms = self.atoms[value]
        size = value.shape[axis]
        if size is not None and atoms.size == atoms.shape[axis]:
            return np.broadcast_to(atoms.ravel(), (size,))
        self.fix(atoms, f"{call.path} has its channels along another axis.")
        return np.full(size or 1, FIXED, np.int64)

    def consume(self, call: graph_lib.Call, value: graph_lib.Value) -> None:
        """Says that a call takes in the channels of a tensor."""
        self.consumed.setdefault(call, set()).add(value)

    def place(
        self,
        call: graph_lib.Call,
        weight: str,
        axis: int,
        atoms: np.ndarray,
        role: Role,
    ) -> None:
        """Says which atoms an axis of a weight belongs to.

        A weight that several calls share ties the atoms of all, and has the
        path of the first.
        """
        key = (id(call.layer), weight, axis)
        if key in self._known:
            self.tie(self._known[key].atoms, atoms)
            return
        found = AtomPlace(call.path, weight, axis, atoms, role)
        self._known[key] = found
        self.places.append(found)

    def units(self) -> np.ndarray:
        """Returns the unit of each atom, shape `(atoms,)`."""
        from scipy.sparse import coo_array, csgraph

        # The atom of what is fixed is tied to itself, so that there is a tie.
        loops = (np.array([FIXED]), np.array([FIXED]))
        first, second = map(
            np.concatenate, zip(loops, *self._ties, strict=True)
        )
        edges = coo_array(
            (np.ones(len(first), np.int8), (first, second)),
            shape=(self._count, self._count),
        )
        return csgraph.connected_components(edges, directed=False)[1]

    def reasons(self, units: np.ndarray) -> dict[int, str]:
        """Returns why units cannot be removed, the first reason of each.

        Args:
            units: See `units`.
        """
        found = {int(units[FIXED]): "Inputs have the channels they have."}
        for atoms, reason in self._fixed:
            for unit in np.unique(units[atoms]).tolist():
                found.setdefault(unit, reason)
        return found


def fixed_atoms(value: graph_lib.Value) -> np.ndarray:
    """Returns the atoms of a tensor of which nothing can be removed."""
    return np.full((1,) * len(value.shape), FIXED, np.int64)


def on_axis(atoms: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Returns the atoms of a tensor that differ along one axis only."""
    shape = [1] * rank
    shape[axis] = len(atoms)
    return atoms.reshape(shape)


def weight_names(layer: Any) -> list[str]:
    """Returns the names of all weights of a layer, in the layer's order."""
    return kernels.short_names(layer.weights)


def trace(graph: graph_lib.Graph) -> Trace:
    """Follows the channels of a model."""
    from tflite_opt.keras_models.channels import rules

    found = Trace(graph)
    for call in found.graph.calls:
        rules.follow(found, call)
    found.keep_outputs()
    return found
