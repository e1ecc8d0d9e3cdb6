# SPDX-License-Identifier: Apache-2.0
"""What layers without weights do to channels: moving, joining and merging."""

import numpy as np

from tflite_opt.keras_models.channels import tracing
from tflite_opt.keras_models.rewriting import graph as graph_lib

# Stands for a size that is open, so that mixing along it is noticed.
_OPEN_SIZE = 2


def channel_axis(call: graph_lib.Call) -> int:
    """Returns the axis of the channels in what a layer takes and returns."""
    if getattr(call.layer, "data_format", None) == "channels_first":
        return 1
    return len(call.inputs[0].shape) - 1


def merge(trace: tracing.Trace, call: graph_lib.Call) -> None:
    """Follows arithmetic of tensors, element by element.

    A tensor that has one channel for all of those of another keeps it.
    """
    rank = len(call.output.shape)
    if any(len(value.shape) != rank for value in call.inputs):
        trace.keep(call, "It joins tensors with unlike numbers of axes.")
        return
    joined = []
    for value in call.inputs:
        atoms = trace.atoms[value]
        if _is_broadcast(trace, call, value):
            trace.fix(atoms, f"{call.path} uses it with all channels.")
        else:
            joined.append(atoms)
    loose = [atoms for atoms in joined if (atoms != tracing.FIXED).any()]
    if not loose:
        trace.atoms[call.output] = tracing.fixed_atoms(call.output)
        return
    if len({atoms.shape for atoms in loose}) > 1:
        trace.keep(call, "It joins channels of unlike axes.")
        return
    for atoms in joined:
        if atoms is not loose[0]:
            trace.tie(loose[0], np.broadcast_to(atoms, loose[0].shape))
    trace.atoms[call.output] = loose[0]


def _is_broadcast(
    trace: tracing.Trace, call: graph_lib.Call, value: graph_lib.Value
) -> bool:
    """Whether a tensor has size 1 where another has channels."""
    return any(
        value.shape[axis] == 1
        and call.output.shape[axis] != 1
        and any(trace.atoms[x].shape[axis] > 1 for x in call.inputs)
        for axis in range(1, len(value.shape))
    )


def concatenate(trace: tracing.Trace, call: graph_lib.Call, axis: int) -> None:
    """Follows tensors that are put one behind the other along an axis."""
    axis %= len(call.output.shape)
    arrays = [trace.atoms[value] for value in call.inputs]
    others = np.broadcast_shapes(
        *(a.shape[:axis] + a.shape[axis + 1 :] for a in arrays)
    )
    if others and max(others) > 1:
        # Each channel comes from all of them.
        if any(a.shape[axis] > 1 for a in arrays):
            trace.keep(call, "It joins channels of unlike axes.")
            return
        whole = np.broadcast_shapes(*(a.shape for a in arrays))
        first, *rest = (np.broadcast_to(a, whole) for a in arrays)
        for array in rest:
            trace.tie(first, array)
        trace.atoms[call.output] = first
        return
    sizes = [value.shape[axis] for value in call.inputs]
    if None in sizes:
        trace.keep(call, "It joins along an axis of open size.")
        return
    wide = [
        np.broadcast_to(a, (*a.shape[:axis], size, *a.shape[axis + 1 :]))
        for a, size in zip(arrays, sizes, strict=True)
    ]
    trace.atoms[call.output] = _smallest(np.concatenate(wide, axis))


def reduce(
    trace: tracing.Trace, call: graph_lib.Call, axis: int | list[int] | None
) -> None:
    """Follows sums and the like along axes; all axes for None."""
    value = call.inputs[0]
    atoms, rank = trace.atoms[value], len(value.shape)
    axes = tuple(range(rank) if axis is None else np.ravel(axis) % rank)
    if 0 in axes or any(atoms.shape[a] > 1 for a in axes):
        trace.keep(call, "It sums up channels.")
    elif len(call.output.shape) == rank:
        trace.atoms[call.output] = atoms
    else:
        trace.atoms[call.output] = atoms.squeeze(axes)


def _spatial(trace: tracing.Trace, call: graph_lib.Call) -> None:
    """Follows what works on each channel, and moves nothing between them."""
    value, axis = call.inputs[0], channel_axis(call)
    atoms = trace.channels(call, value, axis)
    rank = len(call.output.shape)
    if rank < len(value.shape):
        axis = 1
    trace.atoms[call.output] = tracing.on_axis(atoms, axis, rank)


def _reshape(trace: tracing.Trace, call: graph_lib.Call) -> None:
    """Follows elements that keep their order, in another shape."""
    value, output = call.inputs[0], call.output
    if getattr(call.layer, "data_format", None) == "channels_first":
        trace.keep(call, "It flattens channels that come first.")
        return
    before, after = _sizes(value), _sizes(output)
    if np.prod(before) != np.prod(after):
        trace.keep(call, "Its sizes are open.")
        return
    atoms = np.broadcast_to(trace.atoms[value], before).reshape(after)
    atoms = _smallest(atoms)
    if any(
        size is None and atoms.shape[axis] > 1
        for axis, size in enumerate(output.shape)
    ):
        trace.keep(call, "It moves channels to an axis of open size.")
        return
    trace.atoms[output] = _one_axis(trace, atoms)


def _one_axis(trace: tracing.Trace, atoms: np.ndarray) -> np.ndarray:
    """Ties what must be removed together for the rest to stay a block."""
    if sum(size > 1 for size in atoms.shape) > 1:
        longest = int(np.argmax(atoms.shape))
        rows = np.moveaxis(atoms, longest, 0).reshape(atoms.shape[longest], -1)
        trace.tie(np.broadcast_to(rows[:, :1], rows.shape), rows)
    return atoms


def _sizes(value: graph_lib.Value) -> tuple[int, ...]:
    sizes = (_OPEN_SIZE if n is None else n for n in value.shape[1:])
    return (1, *sizes)


def _smallest(atoms: np.ndarray) -> np.ndarray:
    """Leaves one index of axes along which all are alike."""
    for axis in range(atoms.ndim):
        first = atoms.take([0], axis)
        if atoms.shape[axis] > 1 and (atoms == first).all():
            atoms = first
    return atoms


def _permute(trace: tracing.Trace, call: graph_lib.Call) -> None:
    trace.atoms[call.output] = trace.atoms[call.inputs[0]].transpose(
        0, *call.layer.dims
    )


def _repeat_vector(trace: tracing.Trace, call: graph_lib.Call) -> None:
    trace.atoms[call.output] = trace.atoms[call.inputs[0]][:, None]


RULES = {
    **dict.fromkeys(
        (
            *(
                f"{kind}{rank}D"
                for kind in (
                    *("AveragePooling", "GlobalAveragePooling", "MaxPooling"),
                    *("GlobalMaxPooling", "UpSampling", "ZeroPadding"),
                    "Cropping",
                )
                for rank in (1, 2, 3)
            ),
        ),
        _spatial,
    ),
    "Flatten": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
    "Reshape": _reshape,
}
