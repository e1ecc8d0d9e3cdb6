# SPDX-License-Identifier: Apache-2.0
"""Promises that several techniques make, checked on facts of the files."""

from tflite_opt.records import facts
from tflite_opt.techniques import base


def verify_integer_only(
    technique: base.Technique,
    model: facts.ModelFacts,
    input_dtype: str,
    output_dtype: str,
) -> None:
    """Checks that float tensors appear at most as inputs and outputs.

    Integer inputs that are indices (int32, int64) keep their dtype.

    Args:
        technique: Whose promise it is.
        model: Facts read from the result.
        input_dtype: Promised dtype of the inputs that are not indices.
        output_dtype: Promised dtype of the outputs that are not indices.

    Raises:
        VerificationError: If a float tensor is inside, or the interface has
            another dtype.
    """
    for promised, specs, role in (
        (input_dtype, model.inputs, "inputs"),
        (output_dtype, model.outputs, "outputs"),
    ):
        found = {spec.dtype for spec in specs} - {"int32", "int64", "bool"}
        technique.require(
            found <= {promised},
            f"have {promised} {role}",
            f"{role} of {', '.join(sorted(found))}",
        )
    # An integer LSTM lists scratch tensors as float that hold its scales and
    # that no operation reads or writes.
    used = {
        (operator.subgraph, index)
        for operator in model.operators
        for index in operator.inputs + operator.outputs
    }
    inside = [
        tensor
        for tensor in model.tensors
        if tensor.dtype in facts.FLOAT_DTYPES
        and tensor.role not in ("input", "output")
        and (tensor.subgraph, tensor.index) in used
    ]
    technique.require(
        not inside,
        "leave no float tensor inside the model",
        f"{len(inside)} float tensors, the first "
        + repr(inside[0].name if inside else ""),
    )


def verify_same_structure(
    technique: base.Technique,
    before: facts.ModelFacts,
    after: facts.ModelFacts,
) -> None:
    """Checks that a file has the operations and tensors of another.

    Names inside the graph and values of constants may differ.

    Args:
        technique: Whose promise it is.
        before: Facts read from the file that was changed.
        after: Facts read from the result.

    Raises:
        VerificationError: If something else differs.
    """
    for name in (
        "description",
        "min_runtime_version",
        "num_subgraphs",
        "signatures",
        "inputs",
        "outputs",
        "operators",
    ):
        old, new = getattr(before, name), getattr(after, name)
        technique.require(old == new, f"keep {name}", repr(new)[:200])
    technique.require(
        [_described(tensor) for tensor in before.tensors]
        == [_described(tensor) for tensor in after.tensors],
        "keep all tensors",
        "a tensor of another shape, dtype, role or size",
    )
    if before.delegation is not None and after.delegation is not None:
        technique.require(
            before.delegation.partitions == after.delegation.partitions,
            "keep the partitions of XNNPACK",
            f"{after.delegation.partitions} from "
            f"{before.delegation.partitions}",
        )


def _described(tensor: facts.TensorFacts) -> tuple[object, ...]:
    return (
        tensor.subgraph,
        tensor.index,
        tensor.shape,
        tensor.dtype,
        tensor.role,
        tensor.constant_bytes,
        tensor.scales,
    )
