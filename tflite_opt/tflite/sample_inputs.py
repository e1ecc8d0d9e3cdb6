# SPDX-License-Identifier: Apache-2.0
"""Inputs to measure a file with: seeded ones, or a user's own.

Values matter even to a benchmark: denormal floats are slow, and an index
beyond a table is an error. Token ids stay within the table that the graph
looks them up in.
"""

from collections.abc import Mapping

import numpy as np

from tflite_opt.records import errors, facts
from tflite_opt.tflite import entry_point, flatbuffer, ports, quantization

# Of integers that the graph does not look up: they may be axes or lengths.
_SMALL = 2
# Operations whose outputs are their inputs' values in another arrangement.
_REARRANGING = frozenset(
    {
        "CAST",
        "CONCATENATION",
        "EXPAND_DIMS",
        "PACK",
        "RESHAPE",
        "REVERSE_V2",
        "SLICE",
        "SPLIT",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TILE",
        "TRANSPOSE",
        "UNPACK",
    }
)
# Operands of what looks indices up: of the table, and of the indices.
_LOOKUPS = {"GATHER": (0, 1), "EMBEDDING_LOOKUP": (1, 0)}
_DTYPES = frozenset(
    {"float16", "float32", "float64", "complex64", "complex128", "bool"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)


def make(
    model: flatbuffer.Model, entry: entry_point.EntryPoint, seed: int
) -> list[np.ndarray]:
    """Returns seeded values for each input.

    Floats are uniform in [0, 1), integers of a quantized input uniform over
    their dtype, indices uniform over the rows of their table, and other
    integers 0 or 1.

    Args:
        model: The file.
        entry: What is run.
        seed: Of the values.

    Raises:
        ModelError: If an input has a dtype that numpy has not.
    """
    random = np.random.default_rng(seed)
    graph = model.subgraphs[entry.subgraph]
    return [
        _values(spec, _num_rows(graph, tensor), random)
        for spec, tensor in zip(entry.inputs, entry.input_tensors, strict=True)
    ]


def take(
    entry: entry_point.EntryPoint, arrays: Mapping[str, np.ndarray]
) -> list[np.ndarray]:
    """Returns a user's values for each input.

    Args:
        entry: What is run.
        arrays: By name of the input, shape `(n, ...)`; as many examples are
            taken as one inference runs. Floats for a quantized input are
            quantized. Arrays of other names are ignored.

    Raises:
        DataError: If one is missing or does not fit.
    """
    names = [spec.name for spec in entry.inputs]
    chosen = {name: arrays[name] for name in names if name in arrays}
    if len(chosen) < len(names):
        raise errors.DataError(
            "Inputs must be named as in the model. "
            f"Received: {sorted(arrays)}. Expected: {names}."
        )
    count = ports.count_examples(chosen, entry.inputs)
    found = []
    for spec in entry.inputs:
        size = spec.shape[0]
        if size > count:
            raise errors.DataError(
                f"Input {spec.name!r} must have at least as many examples as "
                f"one inference takes, {size}. Received: {count}."
            )
        found.append(ports.to_raw(chosen[spec.name][:size], spec))
    return found


def _values(
    spec: facts.TensorSpec, num_rows: int | None, random: np.random.Generator
) -> np.ndarray:
    if spec.dtype not in _DTYPES:
        raise errors.ModelError(
            "Inputs must be numbers to make some for a benchmark. "
            f"Received: dtype={spec.dtype} of input {spec.name!r}."
        )
    dtype = np.dtype(spec.dtype)
    if dtype.kind in "fc":
        return random.random(spec.shape).astype(dtype)
    if dtype.kind == "b":
        return random.random(spec.shape) < 0.5
    if quantization.is_quantized(spec):
        limits = np.iinfo(dtype)
        return random.integers(
            limits.min, limits.max, spec.shape, dtype, endpoint=True
        )
    high = min(num_rows or _SMALL, np.iinfo(dtype).max)
    return random.integers(0, high, spec.shape).astype(dtype)


def _num_rows(graph: flatbuffer.Subgraph, tensor: int) -> int | None:
    """Returns the rows of the smallest table that a tensor's values index."""
    same = {tensor}
    rows = []
    # In execution order, so that one pass follows the values.
    for operator in graph.operators:
        if operator.name in _REARRANGING and same & set(operator.inputs):
            same.update(operator.outputs)
        table, indices = _LOOKUPS.get(operator.name, (0, 0))
        if table != indices and len(operator.inputs) > 1:
            if operator.inputs[indices] not in same:
                continue
            shape = graph.tensors[operator.inputs[table]].shape
            axis = 0
            if operator.name == "GATHER" and operator.options:
                axis = operator.options.scalar(0, "int32")
            rows.append(shape[axis] if -len(shape) <= axis < len(shape) else 0)
    return min((size for size in rows if size > 0), default=None)
