# SPDX-License-Identifier: Apache-2.0
"""Whether XNNPACK's sparse inference can apply, condition by condition.

On Arm, XNNPACK multiplies sparse 1x1 convolutions two to six times faster,
under exact conditions on the whole network; on x86 with AVX it never does.
The conditions here are checked on the pattern of the file, not on a phone.

References:
    Elsen et al., "Fast Sparse ConvNets", 2019. https://arxiv.org/abs/1911.09723
    https://github.com/google/XNNPACK/blob/master/src/subgraph.c
    (xnn_subgraph_rewrite_for_nchw)
"""

import math
from collections.abc import Iterator

import numpy as np

from tflite_opt.lint import rule
from tflite_opt.records import facts

_MIN_ZERO_FRACTION = 2 / 3
_WORTH_ASKING = 0.5
_SAME = 0
_PADS = ([0, 0], [1, 1], [1, 1], [0, 0])
# What may follow the global average pooling.
_HEAD = frozenset({"FULLY_CONNECTED", "SOFTMAX", "RESHAPE", "LOGISTIC"})


@rule.rule(
    "sparse-inference",
    reason="",
    remedy="Build the network for it (3x3 stride-2 convolutions behind "
    "ZeroPadding2D(1), global average pooling, a dense classifier), prune its "
    "1x1 convolutions beyond 2/3 and convert float32 with sparse encoding.",
    severity="note",
)
def sparse_inference(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Says of a network with many zeros which condition holds and fails."""
    pointwise = _pointwise(subject)
    if not pointwise:
        return
    zeros = _zero_fraction(subject, pointwise)
    sparse = any(w.is_sparse for o in pointwise for w in subject.weights(o))
    if not sparse and (zeros is None or zeros < _WORTH_ASKING):
        return
    conditions = {
        "float32 weights and activations": _is_float32(subject),
        "1x1 weights in sparse encoding": _all_sparse(subject, pointwise),
        "more than 2/3 zeros over all 1x1 weights": (
            zeros is not None and zeros > _MIN_ZERO_FRACTION
        ),
        "first convolution 3x3, stride 2, on 3 channels": _has_stem(subject),
        "symmetric padding of 1 at every 3x3 with stride 2": all(
            _pads_symmetrically(subject, o) for o in _strided(subject)
        ),
        "depth multiplier 1": all(
            _option(subject, o, 3, 1) == 1
            for o in subject.operators("DEPTHWISE_CONV_2D")
        ),
        "additions of 4-D tensors": all(
            len(t.shape) == 4
            for o in subject.operators("ADD")
            if (t := subject.output(o)) is not None
        ),
        "ends in global average pooling and dense layers": _has_head(subject),
    }
    failed = [name for name, holds in conditions.items() if not holds]
    checked = "; ".join(
        f"{name}: {'yes' if holds else 'NO'}"
        for name, holds in conditions.items()
    )
    verdict = (
        "cannot apply: " + ", ".join(f"not {name}" for name in failed)
        if failed
        else "can apply on Arm processors; it never does on x86 with AVX, and "
        "it was not measured here"
    )
    yield rule.Advice(f"sparse inference {verdict}", pointwise, reason=checked)


def _pointwise(subject: rule.Subject) -> list[facts.OperatorFacts]:
    return [
        operator
        for operator in subject.operators("CONV_2D")
        for weight in subject.weights(operator)[:1]
        if len(weight.shape) == 4 and weight.shape[1:3] == (1, 1)
    ]


def _zero_fraction(
    subject: rule.Subject, operators: list[facts.OperatorFacts]
) -> float | None:
    weights = [w for o in operators for w in subject.weights(o)]
    counted = [w for w in weights if w.values is not None]
    total = sum(w.num_elements for w in counted)
    if not total or len(counted) < len(weights):
        return None
    return sum(w.values.zeros for w in counted if w.values) / total


def _is_float32(subject: rule.Subject) -> bool:
    used = {t.dtype for t in subject.facts.weights}
    return used == {"float32"} and all(
        spec.dtype == "float32" for spec in subject.facts.inputs
    )


def _all_sparse(
    subject: rule.Subject, operators: list[facts.OperatorFacts]
) -> bool:
    return all(w.is_sparse for o in operators for w in subject.weights(o))


def _option(
    subject: rule.Subject,
    operator: facts.OperatorFacts,
    field: int,
    default: int,
) -> int:
    """Returns an integer of the operation's options by its field number."""
    options = subject.stored(operator).options
    if options is None:
        return default
    kind = "int8" if field == 0 else "int32"
    return options.scalar(field, kind, default)


def _strides(
    subject: rule.Subject, operator: facts.OperatorFacts
) -> tuple[int, int]:
    # Both kinds of convolution keep them in the same fields.
    return (
        _option(subject, operator, 2, 0),
        _option(subject, operator, 1, 0),
    )


def _kernel(
    subject: rule.Subject, operator: facts.OperatorFacts
) -> tuple[int, ...]:
    weights = subject.weights(operator)
    return weights[0].shape[1:3] if weights else ()


def _has_stem(subject: rule.Subject) -> bool:
    convolutions = subject.operators("CONV_2D", "DEPTHWISE_CONV_2D")
    if not convolutions or convolutions[0].name != "CONV_2D":
        return False
    first = convolutions[0]
    weights = subject.weights(first)
    return (
        bool(weights)
        and weights[0].shape[1:] == (3, 3, 3)
        and _strides(subject, first) == (2, 2)
    )


def _strided(subject: rule.Subject) -> list[facts.OperatorFacts]:
    return [
        operator
        for operator in subject.operators("CONV_2D", "DEPTHWISE_CONV_2D")
        if _kernel(subject, operator) == (3, 3)
        and _strides(subject, operator) == (2, 2)
    ]


def _pads_symmetrically(
    subject: rule.Subject, operator: facts.OperatorFacts
) -> bool:
    source = subject.input(operator, 0)
    if source is None or len(source.shape) != 4:
        return False
    if _option(subject, operator, 0, _SAME) == _SAME:
        # XNNPACK knows the padding of SAME before it knows sizes only where
        # the stride is 1.
        return False
    padding = subject.producer(source)
    if padding is None or padding.name != "PAD":
        return False
    amounts = subject.input(padding, 1)
    return amounts is not None and _constant(subject, amounts) == list(_PADS)


def _constant(
    subject: rule.Subject, tensor: facts.TensorFacts
) -> list[list[int]] | None:
    stored = subject.model.subgraphs[tensor.subgraph].tensors[tensor.index]
    content = subject.model.buffer_bytes(stored.buffer)
    size = math.prod(tensor.shape)
    if tensor.dtype not in ("int32", "int64") or not size:
        return None
    dtype = np.dtype(tensor.dtype)
    if len(content) != size * dtype.itemsize:
        return None
    return np.frombuffer(content, dtype).reshape(tensor.shape).tolist()


def _has_head(subject: rule.Subject) -> bool:
    names = [o.name for o in subject.operators() if o.subgraph == 0]
    while names and names[-1] in _HEAD:
        names.pop()
    return bool(names) and names[-1] in ("MEAN", "AVERAGE_POOL_2D")
