# SPDX-License-Identifier: Apache-2.0
"""Proves that a slimmed `.tflite` is the model it was made from.

Only results within one resolver are compared: XNNPACK and the builtin kernels
may differ from each other.
"""

import dataclasses
import hashlib
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

from tflite_opt.records import errors
from tflite_opt.tflite import (
    appended,
    flatbuffer,
    flatbuffer_pool,
    paired_runs,
    slim_copy,
)

_SPOKEN = {"xnnpack": "XNNPACK", "none": "builtin"}
_DEFAULT_TIMEOUT_S = 120.0
_MAX_SHOWN = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """How far the proof went.

    Attributes:
        compared: Resolvers whose outputs are equal bit by bit.
        skipped: One phrase for each resolver that did not run the original,
            or that does not repeat its own results.
    """

    compared: tuple[str, ...]
    skipped: tuple[str, ...]

    def describe(self) -> str:
        """Returns one phrase."""
        parts = [f"bit-identical with {' and '.join(self.compared)}"]
        return "; ".join(parts * bool(self.compared) + list(self.skipped))


def verify_slimming(
    original: pathlib.Path,
    slimmed: pathlib.Path,
    inputs: paired_runs.Arrays | None = None,
    *,
    timeout_s: float = _DEFAULT_TIMEOUT_S,
    isolated: bool = True,
) -> Check:
    """Checks that slimming lost nothing.

    All that both files hold is compared first. Then both are run with
    each resolver that prepares the original.

    Args:
        original: The `.tflite` before, from wherever.
        slimmed: The one made from it.
        inputs: Examples for the main graph, as for `LoadedModel.run`. None
            takes seeded values of each input's dtype, for all signatures.
        timeout_s: Longest time for one file with one resolver.
        isolated: Whether to run them in a child process, which a file from
            anywhere may crash.

    Raises:
        VerificationError: If they are not the same model: a signature, input,
            output, operation, constant or piece of metadata, the partitions of
            XNNPACK, or a bit of the outputs.
        ModelError: If one is no valid `.tflite`.
        DataError: If `inputs` do not fit the model.
    """
    before, after = flatbuffer.read(original), flatbuffer.read(slimmed)
    for what, old, new in _pairs(before, after):
        _require_equal(old, new, what)
    pool = flatbuffer_pool.Pool()
    with flatbuffer.refusing_damage(original):
        content = _everything(before, pool)
    with flatbuffer.refusing_damage(slimmed):
        _require_equal(content, _everything(after, pool), "any field")
    compared, skipped = [], []
    with tempfile.TemporaryDirectory() as folder:
        runs = paired_runs.PairedRuns(
            (original, slimmed),
            inputs,
            pathlib.Path(folder),
            timeout_s,
            isolated,
        )
        for delegate in paired_runs.DELEGATES:
            reason = _compare(runs, delegate)
            if reason:
                skipped.append(f"{_SPOKEN[delegate]} skipped ({reason})")
            else:
                compared.append(_SPOKEN[delegate])
    return Check(compared=tuple(compared), skipped=tuple(skipped))


def _compare(runs: paired_runs.PairedRuns, delegate: str) -> str:
    """Returns why a resolver cannot compare; "" if its results are equal."""
    before = runs.result(delegate, 0)
    if before.error:
        return before.error
    after = runs.result(delegate, 1)
    spoken = _SPOKEN[delegate]
    _require_equal(before.error, after.error, f"errors of {spoken}")
    _require_equal(
        before.partitions, after.partitions, f"partitions of {spoken}"
    )
    if before.outputs != after.outputs:
        runs.forget()
        if runs.result(delegate, 0).outputs != before.outputs:
            return "its results are random"
    _require_equal(before.outputs, after.outputs, f"outputs of {spoken}")
    return before.refusal


def _require_equal(before: Any, after: Any, what: str) -> None:
    if before != after:
        raise errors.VerificationError(
            f"Slimming must not change {what}. Received: {_short(after)}, "
            f"which was {_short(before)}."
        )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _everything(
    model: flatbuffer.Model, pool: flatbuffer_pool.Pool
) -> tuple[int, list[str], bytes]:
    """Returns what is equal for files that hold the same.

    That is the number of the model in the pool, in which equal parts have
    equal numbers, hashes of the parts behind the flatbuffer, and the zip.
    """
    whole = memoryview(model.content)
    try:
        copy = slim_copy.SlimCopy(model, pool=pool)
        archive = appended.known_zip(whole, copy.regions)
    except appended.UnknownContentError as error:
        raise errors.VerificationError(
            f"Only known content can be compared. Received: {error}."
        ) from error
    outside = [
        hashlib.sha256(whole[start:end]).hexdigest()
        for start, end in copy.outside
    ]
    return copy.root, outside, archive.moved(0) if archive else b""


def _pairs(
    before: flatbuffer.Model, after: flatbuffer.Model
) -> Iterator[tuple[str, Any, Any]]:
    """Yields what can be named, with its value in each file."""
    yield "the description", before.description, after.description
    yield "signatures", before.signatures, after.signatures
    yield "metadata", _metadata(before), _metadata(after)
    graphs = before.subgraphs, after.subgraphs
    yield "the number of graphs", len(graphs[0]), len(graphs[1])
    public = slim_copy.interface(before)
    for index, (old, new) in enumerate(zip(*graphs, strict=True)):
        for name in ("name", "inputs", "outputs"):
            yield f"{name} of a graph", getattr(old, name), getattr(new, name)
        yield "operations", _operators(old), _operators(new)
        yield "the number of tensors", len(old.tensors), len(new.tensors)
        for position in range(len(old.tensors)):
            tensors = old.tensors[position], new.tensors[position]
            if (index, position) in public or tensors[1].name:
                yield "names", tensors[0].name, tensors[1].name
            contents = _tensor(before, tensors[0]), _tensor(after, tensors[1])
            yield f"tensor {position} of graph {index}", *contents


def _metadata(model: flatbuffer.Model) -> list[tuple[str, bytes]]:
    return [
        (name, model.buffer_bytes(buffer))
        for name, buffer in model.metadata
        if name not in slim_copy.LEFTOVER_METADATA
    ]


def _operators(graph: flatbuffer.Subgraph) -> list[tuple[object, ...]]:
    return [
        (operator.name, operator.version, operator.inputs, operator.outputs)
        for operator in graph.operators
    ]


def _tensor(
    model: flatbuffer.Model, tensor: flatbuffer.Tensor
) -> tuple[object, ...]:
    return (
        tensor.dtype,
        tensor.shape,
        tensor.shape_signature,
        tensor.is_variable,
        tensor.scale.tobytes(),
        tensor.zero_point.tobytes(),
        hashlib.sha256(model.buffer_bytes(tensor.buffer)).hexdigest(),
    )
