# SPDX-License-Identifier: Apache-2.0
"""Rules about what an app and its runtime meet at the borders of a file."""

from collections.abc import Iterator

from tflite_opt.lint import rule
from tflite_opt.records import facts

_FLEX = "Flex"


@rule.rule(
    "float-interface",
    reason="Inputs or outputs are float and are converted to or from integers "
    "inside: four times the bytes at the border and one more operation.",
    remedy="Use recipe int8, if the app can hand over integers with the "
    "stated scale and zero point.",
    severity="note",
)
def float_interface(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Float inputs and outputs of an integer model."""
    inputs = [
        operator
        for operator in subject.operators("QUANTIZE")
        if _is(subject.input(operator, 0), "input", "float32")
    ]
    outputs = [
        operator
        for operator in subject.operators("DEQUANTIZE")
        if _is(subject.output(operator), "output", "float32")
    ]
    parts = [
        f"{len(found)} float {role}{'s'[: len(found) != 1]}"
        for found, role in ((inputs, "input"), (outputs, "output"))
        if found
    ]
    if parts:
        yield rule.Advice(
            f"{' and '.join(parts)} of an integer model", inputs + outputs
        )


def _is(tensor: facts.TensorFacts | None, role: str, dtype: str) -> bool:
    return tensor is not None and tensor.role == role and tensor.dtype == dtype


@rule.rule(
    "missing-signature",
    reason="Without a signature, inputs and outputs are known by position "
    "only; a converter may reorder them, and swapped inputs go unnoticed.",
    remedy="Convert from a SavedModel or Keras model with named inputs, not "
    "from a bare function.",
)
def missing_signature(subject: rule.Subject) -> Iterator[rule.Advice]:
    """A file without signatures."""
    if not subject.facts.signatures:
        yield rule.Advice("no signature")


@rule.rule(
    "flex-operation",
    reason="The app must ship TensorFlow's kernels, tens of megabytes; the "
    "plain runtime refuses the file.",
    remedy="Replace these operations with ones that TFLite has.",
)
def flex_operation(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Operations of the Flex delegate."""
    found = [
        o
        for o in subject.operators()
        if o.is_custom and o.name.startswith(_FLEX)
    ]
    yield from rule.about(found)


@rule.rule(
    "custom-operation",
    reason="The plain runtime refuses the file: the app must register these "
    "operations itself.",
    remedy="Replace them with ones that TFLite has, or ship their kernels.",
)
def custom_operation(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Custom operations other than Flex."""
    found = [
        o
        for o in subject.operators()
        if o.is_custom and not o.name.startswith(_FLEX)
    ]
    yield from rule.about(found)


@rule.rule(
    "delegation-split",
    reason="Every border between XNNPACK and builtin kernels costs a copy and "
    "a change of layout, and what stays outside runs on slower kernels.",
    remedy="Replace these operations with ones that XNNPACK takes, or change "
    "what they compute in.",
)
def delegation_split(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Operations that XNNPACK leaves out."""
    delegation = subject.facts.delegation
    if delegation is None or delegation.partitions is None:
        return
    main = [o for o in subject.operators() if o.subgraph == 0]
    left_out = [o for o in main if o.index in set(delegation.left_out)]
    if not left_out:
        return
    if not delegation.partitions:
        yield rule.Advice(
            "XNNPACK takes no operation",
            left_out,
            reason="The whole model runs on builtin kernels, mostly several "
            "times slower.",
        )
    elif delegation.partitions == 1:
        yield rule.Advice(
            f"{rule.count(left_out)} outside XNNPACK, before or after the "
            "one partition",
            left_out,
            reason="They run on slower builtin kernels, but split nothing.",
            severity="note",
        )
    else:
        yield rule.Advice(
            f"{rule.count(left_out)} outside XNNPACK, which makes "
            f"{delegation.partitions} partitions",
            left_out,
        )


@rule.rule(
    "one-runtime-only",
    reason="The file depends on the delegate of the app: where it is on or "
    "off, loading fails.",
    remedy="Convert with the other back end, or without sparse encoding of "
    "quantized weights, and inspect again.",
)
def one_runtime_only(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Files that XNNPACK or the builtin kernels cannot prepare."""
    delegation = subject.facts.delegation
    if delegation is None:
        return
    for runtime, error in (
        ("XNNPACK", delegation.delegate_error),
        ("builtin kernels", delegation.builtin_error),
    ):
        if error:
            yield rule.Advice(f"cannot be prepared with {runtime}: {error}")
