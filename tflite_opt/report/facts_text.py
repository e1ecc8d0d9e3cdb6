# SPDX-License-Identifier: Apache-2.0
"""The text about one `.tflite` file."""

import tabulate

from tflite_opt.records import facts

_OPERATION_HEADERS = ("operation", "versions", "count", "weights", "float")
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
        f"size          {found.size_bytes:,} bytes, "
        f"{found.gzip_bytes:,} after gzip",
        f"min runtime   {printable(runtime)}",
        f"subgraphs     {found.num_subgraphs}",
        f"constants     {_bytes(found)}",
        f"weights       {_weights(found)}",
    ]
    if found.delegation is not None:
        builtin = printable(found.delegation.builtin_error) or "ok"
        lines += [
            f"XNNPACK       {_xnnpack(found.delegation)}",
            f"builtin       {builtin}",
        ]
    return lines


def _bytes(found: facts.ModelFacts) -> str:
    parts = [f"{k} {v:,} bytes" for k, v in found.bytes_by_dtype.items()]
    return ", ".join(parts) or "none"


def _weights(found: facts.ModelFacts) -> str:
    if not found.weights:
        return "none"
    total = sum(tensor.num_elements for tensor in found.weights)
    tensors = len(found.weights)
    return (
        f"{total:,} in {tensors:,} tensor{'s'[: tensors != 1]}, "
        f"{found.quantized_weight_fraction:.2%} quantized to at most 8 bits"
    )


def _xnnpack(delegation: facts.Delegation) -> str:
    if delegation.partitions is None:
        return printable(delegation.delegate_error)
    if delegation.partitions == 0:
        return "takes nothing: all operations run on builtin kernels"
    if delegation.partitions == 1:
        return "1 partition"
    return f"{delegation.partitions} partitions"


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
    shape = "x".join("?" if size == -1 else str(size) for size in spec.shape)
    return (
        printable(spec.name),
        spec.dtype,
        shape or "scalar",
        ", ".join(f"{scale:.6g}" for scale in spec.scale) or "-",
        ", ".join(str(value) for value in spec.zero_point) or "-",
    )


def _operations(found: facts.ModelFacts) -> str:
    elements = {
        (tensor.subgraph, tensor.index): tensor.num_elements
        for tensor in found.weights
    }
    shares = found.float_weight_fraction_by_operator()
    rows = []
    for name, count in found.operator_counts.items():
        same = [o for o in found.operators if o.name == name]
        versions = sorted({operator.version for operator in same})
        weights = {(o.subgraph, i) for o in same for i in o.weights}
        custom = " (custom)" if same[0].is_custom else ""
        rows.append(
            (
                printable(name) + custom,
                ", ".join(str(version) for version in versions),
                str(count),
                f"{sum(elements[key] for key in weights):,}",
                f"{shares[name]:.2%}" if name in shares else "-",
            )
        )
    return tabulate.tabulate(
        rows,
        _OPERATION_HEADERS,
        disable_numparse=True,
        colalign=("left", "left", "right", "right", "right"),
    )


def printable(text: str) -> str:
    """Returns text from a file with line ends and control codes escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode()
        for c in text
    )
