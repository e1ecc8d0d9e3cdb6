# SPDX-License-Identifier: Apache-2.0
"""How the runtime prepared a `.tflite`, on this machine or on a device."""

import dataclasses

from tflite_opt.records import serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorMemory(serialization.Record):
    """What the interpreter planned for the tensors of the main subgraph.

    Not in it: stored constants, which stay in the mapped file; what XNNPACK
    allocates for its own partitions and packed weights; what operations
    allocate while they run; other subgraphs.

    Attributes:
        arena_bytes: The arena, in which activations and the scratch space of
            operations take turns.
        persistent_bytes: Tensors that keep their place: state, and weights
            that builtin kernels unpack once.
    """

    arena_bytes: int
    persistent_bytes: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Delegation(serialization.Record):
    """How the interpreter prepared the file.

    Attributes:
        delegate: `xnnpack`, or one of a device.
        partitions: Number of delegate nodes in the main subgraph; 1 is the
            best, 0 means that the delegate took nothing. None if the file did
            not prepare with it, or a device does not tell.
        delegate_error: Why it did not prepare with the delegate; "" if it did.
        builtin_error: Why it did not prepare without; "" if it did.
        delegated: Indices of the operations in each partition of the main
            subgraph; empty if a device does not tell them.
        left_out: Indices of its other operations, which run on builtin
            kernels.
        delegate_memory: Outside the delegate's partitions; None if the file
            did not prepare with it, or if sizes depend on the data.
        builtin_memory: Without the delegate; None likewise.
    """

    delegate: str
    partitions: int | None
    delegate_error: str = ""
    builtin_error: str = ""
    delegated: tuple[tuple[int, ...], ...] = ()
    left_out: tuple[int, ...] = ()
    delegate_memory: TensorMemory | None = None
    builtin_memory: TensorMemory | None = None
