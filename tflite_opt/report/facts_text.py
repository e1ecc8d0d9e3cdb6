# SPDX-License-Identifier: Apache-2.0
"""The text about one `.tflite` file."""

import tabulate

from tflite_opt.records import delegation, facts

_OPERATION_HEADERS = (
    "operation",
    "versions",
    "count",
    "MACs",
    "weights",
    "float",
)
_TENSOR_HEADERS = ("", "name", "dtype", "shape", "scale", "zero point")


def describe(name: str, found: facts.ModelFacts) -> str:
    """Returns what there is to know about a file, in several paragraphs.

    Args:
        name: What to call it, mostly its path.
        found: Its facts.
    """
    return "\n\n".join(
        [
            "\n".join([name, *_summary(found)]),
            *_entry_points(found),
            _operations(found),
        ]
    )


def _summary(found: facts.ModelFacts) -> list[str]:
    runtime = found.min_runtime_version or "not stated"
    lines = [
        f"size          {_sizes(found)}",
        f"min runtime   {printable(runtime)}",
        f"subgraphs     {found.num_subgraphs}",
    ]
    if found.assumed_shapes:
        lines.append(f"input shapes  {_shapes(found.assumed_shapes)}, as given")
    lines += [
        f"MACs          {macs(found)}",
        f"parameters    {found.parameters:,}",
        f"bytes         {_bytes(found.bytes_by_role)}",
        f"constants     {_bytes(found.bytes_by_dtype)}",
        f"weights       {_weights(found)}",
    ]
    prepared = found.delegation
    if prepared is not None:
        builtin = printable(prepared.builtin_error) or "ok"
        lines += [
            f"XNNPACK       {_xnnpack(prepared, found)}",
            f"builtin       {builtin}",
            f"arena         {_arena(found, prepared)}",
        ]
    return lines


def _sizes(found: facts.ModelFacts) -> str:
    text = f"{found.size_bytes:,} bytes, {found.gzip_bytes:,} after gzip"
    if found.sparse_encoded_bytes is None:
        return text
    return f"{text}, about {found.sparse_encoded_bytes:,} sparse-encoded"


def macs(found: facts.ModelFacts) -> str:
    """Returns a model's MACs, and of how many operations they are unknown."""
    text = f"{found.known_macs:,}"
    if any(operator.in_loop for operator in found.operators):
        text += ", loops as one turn"
    if found.unknown_macs:
        count = found.unknown_macs
        text += (
            f", and those of {count:,} operation{'s'[: count != 1]} of open "
            "size or custom"
        )
    return text


def _shapes(shapes: tuple[tuple[int, ...], ...]) -> str:
    return ", ".join(shape(sizes) for sizes in shapes)


def _bytes(found: dict[str, int]) -> str:
    parts = [f"{name} {count:,}" for name, count in found.items()]
    return ", ".join(parts) or "none"


def _weights(found: facts.ModelFacts) -> str:
    if not found.weights:
        return "none"
    total = sum(tensor.num_elements for tensor in found.weights)
    tensors = len(found.weights)
    text = (
        f"{total:,} in {tensors:,} tensor{'s'[: tensors != 1]}, "
        f"{found.quantized_weight_fraction:.2%} quantized to at most 8 bits"
    )
    zeros = found.zero_weight_fraction
    return text if zeros is None else f"{text}, {zeros:.2%} zeros"


def _xnnpack(prepared: delegation.Delegation, found: facts.ModelFacts) -> str:
    if prepared.partitions is None:
        return printable(prepared.delegate_error)
    if prepared.partitions == 0:
        return "takes nothing: all operations run on builtin kernels"
    text = f"{prepared.partitions} partition{'s'[: prepared.partitions != 1]}"
    if not prepared.left_out:
        return text
    main = [operator for operator in found.operators if not operator.subgraph]
    left = [main[index].name for index in prepared.left_out]
    names = ", ".join(
        f"{left.count(name)} {printable(name)}" for name in sorted(set(left))
    )
    return f"{text}; leaves out {len(left)} of {len(main)} operations: {names}"


def _arena(found: facts.ModelFacts, prepared: delegation.Delegation) -> str:
    parts = []
    builtin, outside = prepared.builtin_memory, prepared.delegate_memory
    if builtin is not None:
        text = f"{builtin.arena_bytes:,} bytes with builtin kernels"
        if builtin.persistent_bytes:
            text += f" and {builtin.persistent_bytes:,} that persist"
        parts.append(text)
    if outside is not None:
        parts.append(
            f"{outside.arena_bytes + outside.persistent_bytes:,} outside of "
            "XNNPACK's partitions"
        )
    if not parts:
        return "not known before the first inference"
    text = ", ".join(parts)
    is_open = any(-1 in spec.shape for spec in found.inputs)
    if is_open and not found.assumed_shapes:
        text += "; with 1 for open dimensions"
    return text


def _entry_points(found: facts.ModelFacts) -> list[str]:
    if not found.signatures:
        return [
            "no signature; tensors of the main subgraph\n"
            + _tensors(found.inputs, found.outputs)
        ]
    return [
        f"signature '{printable(s.key)}'\n" + _tensors(s.inputs, s.outputs)
        for s in found.signatures
    ]


def _tensors(
    inputs: tuple[facts.TensorSpec, ...], outputs: tuple[facts.TensorSpec, ...]
) -> str:
    rows = [("input", *_cells(spec)) for spec in inputs]
    rows += [("output", *_cells(spec)) for spec in outputs]
    return tabulate.tabulate(rows, _TENSOR_HEADERS, disable_numparse=True)


def _cells(spec: facts.TensorSpec) -> tuple[str, ...]:
    return (
        printable(spec.name),
        spec.dtype,
        shape(spec.shape),
        ", ".join(f"{scale:.6g}" for scale in spec.scale) or "-",
        ", ".join(str(value) for value in spec.zero_point) or "-",
    )


def _operations(found: facts.ModelFacts) -> str:
    elements = {
        (tensor.subgraph, tensor.index): tensor.num_elements
        for tensor in found.weights
    }
    shares = found.float_weight_fraction_by_operator()
    total = max(found.known_macs, 1)
    rows = []
    for name, count in found.operator_counts.items():
        same = [o for o in found.operators if o.name == name]
        versions = sorted({operator.version for operator in same})
        weights = {(o.subgraph, i) for o in same for i in o.weights}
        custom = " (custom)" if same[0].is_custom else ""
        known = sum(operator.macs or 0 for operator in same)
        unknown = any(operator.macs is None for operator in same)
        rows.append(
            (
                printable(name) + custom,
                ", ".join(str(version) for version in versions),
                str(count),
                "?" if unknown else f"{known / total:.2%}" if known else "-",
                f"{sum(elements[key] for key in weights):,}",
                f"{shares[name]:.2%}" if name in shares else "-",
            )
        )
    return tabulate.tabulate(
        rows,
        _OPERATION_HEADERS,
        disable_numparse=True,
        colalign=("left", "left", *("right",) * 4),
    )


def shape(sizes: tuple[int, ...]) -> str:
    """Returns `1x?x3` for a shape whose second dimension is open."""
    return "x".join("?" if s == -1 else str(s) for s in sizes) or "scalar"


def printable(text: str) -> str:
    """Returns text from a file with line ends and control codes escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode()
        for c in text
    )
