# SPDX-License-Identifier: Apache-2.0
"""The table of one file's operations, one line each."""

import tabulate

from tflite_opt.records import facts
from tflite_opt.report import facts_text

_HEADERS = (
    "",
    "operation",
    "output",
    "MACs",
    "parameters",
    "weights",
    "zeros",
    "unique",
    "XNNPACK",
    "name",
)
_MAX_NAME = 48


def describe(found: facts.ModelFacts) -> str:
    """Returns a line for each operation, in execution order.

    Zeros are a share of the operation's weights; unique is the number of
    distinct values in the weight that has most. Operations of other
    subgraphs than the main one are numbered `subgraph:operation`.
    """
    tensors = {(t.subgraph, t.index): t for t in found.tensors}
    rows = [_cells(operator, tensors, found) for operator in found.operators]
    return tabulate.tabulate(
        rows,
        _HEADERS,
        disable_numparse=True,
        colalign=("right", "left", "left", "right", "right", "left")
        + ("right", "right", "left", "left"),
    )


def _cells(
    operator: facts.OperatorFacts,
    tensors: dict[tuple[int, int], facts.TensorFacts],
    found: facts.ModelFacts,
) -> tuple[str, ...]:
    weights = [tensors[operator.subgraph, i] for i in operator.weights]
    counted = [t for t in weights if t.values is not None]
    total = sum(tensor.num_elements for tensor in counted)
    zeros = sum(t.values.zeros for t in counted if t.values)
    unique = [t.values.unique_values for t in counted if t.values]
    number = str(operator.index)
    if operator.subgraph:
        number = f"{operator.subgraph}:{number}"
    loop = " (in a loop)" if operator.in_loop else ""
    return (
        number,
        facts_text.printable(operator.name) + loop,
        _shape(operator, tensors),
        "?" if operator.macs is None else f"{operator.macs:,}",
        f"{operator.parameters:,}",
        ", ".join(dict.fromkeys(tensor.dtype for tensor in weights)) or "-",
        f"{zeros / total:.2%}" if total else "-",
        f"{max(unique):,}" if unique else "-",
        _delegated(operator, found),
        _name(operator, tensors),
    )


def _name(
    operator: facts.OperatorFacts,
    tensors: dict[tuple[int, int], facts.TensorFacts],
) -> str:
    """Returns the name of the output tensor, of a fused one the first part."""
    if not operator.outputs or operator.outputs[0] == -1:
        return "-"
    name = tensors[operator.subgraph, operator.outputs[0]].name
    return facts_text.printable(name.partition(";")[0])[:_MAX_NAME] or "-"


def _shape(
    operator: facts.OperatorFacts,
    tensors: dict[tuple[int, int], facts.TensorFacts],
) -> str:
    if not operator.outputs or operator.outputs[0] == -1:
        return "-"
    return facts_text.shape(
        tensors[operator.subgraph, operator.outputs[0]].shape
    )


def _delegated(operator: facts.OperatorFacts, found: facts.ModelFacts) -> str:
    prepared = found.delegation
    if prepared is None or prepared.partitions is None or operator.subgraph:
        return "?"
    return "no" if operator.index in prepared.left_out else "yes"
