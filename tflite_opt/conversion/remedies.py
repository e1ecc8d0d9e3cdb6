# SPDX-License-Identifier: Apache-2.0
"""Known failures of the back ends, and what to do about each."""

import re

_REMEDIES = (
    (
        r"no_integer_overflow_from_quantization",
        "The weights or batch-normalization statistics are degenerate: train "
        "the model, or recalibrate its batch normalization on real data.",
    ),
    (
        r"TensorListReserve|tf\.TensorList",
        "Fix the batch size of recurrent layers to 1, or use `unroll=True`.",
    ),
    (
        r"quantize weights\. Received: 0% of the weights",
        "The back ends leave weight tensors of fewer than 1,024 elements in "
        "float; int8 quantizes small ones too.",
    ),
    (
        r"Flex|Select TF ops|custom op|is neither a custom op",
        "Replace the named operations with ones TFLite has.",
    ),
    (
        r"not yet supported for op|must store all weights",
        "The technique does not cover every operation with weights of this "
        "model: use int8 or dynamic_range.",
    ),
    (
        r"must give the same results.*top-1 agreement",
        "The model's scores lie too close together for rounding: train it "
        "longer (--epochs), or give it more data.",
    ),
    (
        r"signal (6|11)",
        "The back end crashed its process. Try the technique with the other "
        "back end, or dynamic_range, which needs no calibration.",
    ),
    (
        r"timed out",
        "Raise --conversion_timeout_s, or use fewer calibration samples.",
    ),
    (
        r"signal 9",
        "The process was killed, most often for lack of memory: use fewer "
        "calibration samples or a machine with more memory.",
    ),
)


def remedy_for(message: str) -> str:
    """Returns what to do about a failure, or an empty string."""
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, message):
            return remedy
    return ""
