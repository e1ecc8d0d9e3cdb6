# SPDX-License-Identifier: Apache-2.0
"""Rules about what operations compute in."""

from collections.abc import Iterator

from tflite_opt.lint import rule
from tflite_opt.records import facts

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE", "CAST")
_FLOAT = ("float32", "float16")
_MIN_LEFT_IN_FLOAT = 0.05


def _computes_in(
    subject: rule.Subject, operator: facts.OperatorFacts, *dtypes: str
) -> bool:
    data = subject.input(operator, 0)
    return data is not None and data.dtype in dtypes


@rule.rule(
    "dynamic-depthwise",
    reason="XNNPACK has no kernel for a depthwise convolution with int8 "
    "weights and float activations: each one splits the delegation and runs "
    "on a slower builtin kernel.",
    remedy="Leave depthwise convolutions in float (recipe dynamic_range), or "
    "quantize activations too (recipe int8).",
)
def dynamic_depthwise(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Depthwise convolutions quantized in dynamic range."""
    found = []
    for operator in subject.operators("DEPTHWISE_CONV_2D"):
        weight = subject.input(operator, 1)
        if (
            weight is not None
            and weight.dtype in facts.INTEGER_WEIGHT_DTYPES
            and _computes_in(subject, operator, *_FLOAT)
        ):
            found.append(operator)
    yield from rule.about(found, "with integer weights and float activations")


@rule.rule(
    "int16-activations",
    reason="XNNPACK takes no operation with int16 activations; reference "
    "kernels run it 20 to 40 times slower than float32 on a CPU.",
    remedy="Use int8 activations on CPUs; keep int16x8 for accelerators that "
    "have it.",
)
def int16_activations(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Weighted operations on int16 activations."""
    found = [
        operator
        for operator in subject.operators()
        if operator.weights and _computes_in(subject, operator, "int16")
    ]
    yield from rule.about(found, "on int16 activations")


@rule.rule(
    "int4-convolution",
    reason="XNNPACK has int4 kernels for fully connected layers only: each "
    "int4 convolution splits the delegation and is slower than in float32.",
    remedy="Keep convolutions at int8 and give int4 to fully connected "
    "layers, or use int4 for download size alone.",
)
def int4_convolution(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Convolutions with 4-bit weights."""
    found = [
        operator
        for operator in subject.operators("CONV_2D", "DEPTHWISE_CONV_2D")
        if any(w.dtype in ("int4", "uint4") for w in subject.weights(operator))
    ]
    yield from rule.about(found, "with int4 weights")


@rule.rule(
    "int8-hard-swish",
    reason="XNNPACK does not take HARD_SWISH in int8: each one splits the "
    "delegation. An int8 MobileNetV3 is slower than its float32 for that.",
    remedy="Train with ReLU6 instead, or keep these operations in float.",
)
def int8_hard_swish(subject: rule.Subject) -> Iterator[rule.Advice]:
    """HARD_SWISH on quantized activations."""
    found = [
        operator
        for operator in subject.operators("HARD_SWISH")
        if _computes_in(subject, operator, "int8", "uint8")
    ]
    yield from rule.about(found, "in int8")


@rule.rule(
    "left-in-float",
    reason="The file counts as quantized, but these operations still compute "
    "or store in float: a converter left them out without saying so.",
    remedy="Check whether the quantizer covers them, replace them, or convert "
    "with the other back end.",
)
def left_in_float(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Float operations and float weights in a quantized file."""
    operators = subject.operators()
    integer = [
        o
        for o in operators
        if o.weights and _computes_in(subject, o, "int8", "uint8", "int16")
    ]
    computing = []
    for operator in operators:
        result = subject.output(operator)
        if (
            operator.name not in _CONVERSIONS
            and result is not None
            and result.dtype in _FLOAT
            and result.role != "constant"
        ):
            computing.append(operator)
    if integer and computing:
        yield rule.Advice(
            f"{rule.count(computing)} in float beside {len(integer)} weighted "
            "operations in integers",
            computing,
        )
    elif subject.facts.quantized_weight_fraction:
        shares = subject.facts.float_weight_fraction_by_operator()
        for name, share in shares.items():
            if share <= _MIN_LEFT_IN_FLOAT:
                continue
            message = f"{share:.0%} of the weights of {name} in float"
            if name == "DEPTHWISE_CONV_2D":
                yield rule.Advice(
                    message,
                    subject.operators(name),
                    reason="XNNPACK has no kernel for it with float "
                    "activations and integer weights.",
                    remedy="As it should be for latency; quantize activations "
                    "too (recipe int8) if the bytes matter.",
                    severity="note",
                )
            else:
                yield rule.Advice(message, subject.operators(name))


@rule.rule(
    "float-island",
    reason="Values go from integers to float and back: two conversions and "
    "float arithmetic in the middle of an integer model.",
    remedy="Quantize the operations in between, or replace them.",
)
def float_island(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Float operations between a DEQUANTIZE and a QUANTIZE."""
    found = []
    for operator in subject.operators("DEQUANTIZE"):
        source = subject.input(operator, 0)
        result = subject.output(operator)
        if source is None or result is None or source.role == "weight":
            continue
        if _reaches_quantize(subject, result):
            found.append(operator)
    if found:
        noun = "island" if len(found) == 1 else "islands"
        yield rule.Advice(
            f"{len(found)} {noun} of float between DEQUANTIZE and QUANTIZE",
            found,
        )


def _reaches_quantize(subject: rule.Subject, start: facts.TensorFacts) -> bool:
    pending, seen = [start], {(start.subgraph, start.index)}
    while pending:
        for operator in subject.consumers(pending.pop()):
            if operator.name == "QUANTIZE":
                return True
            result = subject.output(operator)
            if result is None or result.dtype not in _FLOAT:
                continue
            key = (result.subgraph, result.index)
            if key not in seen:
                seen.add(key)
                pending.append(result)
    return False


@rule.rule(
    "signedness-conversion",
    reason="Values are turned from unsigned to signed or back, which costs a "
    "pass over the data and changes nothing else.",
    remedy="Give the app int8 inputs and outputs (recipe int8) if it can "
    "subtract 128 itself.",
    severity="note",
)
def signedness_conversion(subject: rule.Subject) -> Iterator[rule.Advice]:
    """QUANTIZE between uint8 and int8."""
    found = []
    for operator in subject.operators("QUANTIZE"):
        source, result = subject.input(operator, 0), subject.output(operator)
        dtypes = {t.dtype for t in (source, result) if t is not None}
        if dtypes == {"int8", "uint8"}:
            found.append(operator)
    yield from rule.about(found, "between uint8 and int8")
