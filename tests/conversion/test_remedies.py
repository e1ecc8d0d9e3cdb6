# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.conversion import remedies


@pytest.mark.parametrize(
    ("message", "part"),
    [
        (
            "The TFLite converter rejected the model: Quantization to 16x8-bit "
            "not yet supported for op: 'UNIDIRECTIONAL_SEQUENCE_LSTM'.",
            "use int8 or dynamic_range",
        ),
        (
            "int16x8 must store all weights in 8 bits. Received: 91.6% of the "
            "weights quantized.",
            "use int8 or dynamic_range",
        ),
        (
            "Builtin kernels and XNNPACK must give the same results. Received: "
            "49 quanta apart, top-1 agreement 97.78% on 270 examples.",
            "--epochs",
        ),
        ("The process crashed with signal 11.", "other back end"),
    ],
    ids=["operation", "embedding", "kernels", "crash"],
)
def test_a_known_failure_has_its_remedy(message, part):
    assert part in remedies.remedy_for(message)


def test_an_unknown_failure_has_none():
    assert remedies.remedy_for("Something else.") == ""
