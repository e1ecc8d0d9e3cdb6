# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests import factories
from tflite_opt.records import compression, errors, facts


def _kept(where="keras", **fields):
    promise = {"layer": "a/conv", "weight": "kernel"}
    measured = {
        "dtype": "float32",
        "num_elements": 100,
        "zero_fraction": 0.5,
        "unique_values": 40,
        "channel_unique_values": 16,
        "unfit_blocks": None,
    }
    for name, value in fields.items():
        (measured if name in measured else promise)[name] = value
    return compression.KeptPromise(
        promise=compression.Promise(**promise), where=where, **measured
    )


@pytest.mark.parametrize(
    "kept",
    [
        _kept(min_zero_fraction=0.5),
        _kept(max_unique_values=40),
        _kept(max_unique_values=16, per_channel=True),
        _kept(max_unique_values=16, where="tflite"),
        _kept(zeros_of_block=(2, 4), unfit_blocks=0),
        _kept(is_int8=True),
        _kept(is_int8=True, where="tflite", dtype="int8"),
    ],
)
def test_kept_promises_pass(kept):
    kept.require()


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (
            _kept(min_zero_fraction=0.501),
            "`kernel` of 'a/conv' must have at least 50.10% zeros in the Keras "
            r"model\. Received: 50\.00%",
        ),
        (
            _kept(max_unique_values=16),
            r"at most 16 distinct values in the Keras model\. Received: 40",
        ),
        (
            _kept(max_unique_values=15, where="tflite"),
            r"at most 15 distinct values in the \.tflite\. Received: 16",
        ),
        (
            _kept(zeros_of_block=(2, 4), unfit_blocks=3),
            "2 zeros in each 4 weights .* Received: 3 blocks with fewer",
        ),
        (
            _kept(is_int8=True, where="tflite"),
            r"stored in 8 bits in the \.tflite\. Received: float32",
        ),
    ],
)
def test_a_broken_promise_is_an_error(kept, message):
    with pytest.raises(errors.VerificationError, match=message):
        kept.require()


@pytest.mark.parametrize(
    ("values", "num_bytes"), [(16, 50.0), (2, 12.5), (1, 0.0)]
)
def test_few_values_take_few_bits(values, num_bytes):
    kept = _kept(channel_unique_values=values)
    assert kept.information_bytes == num_bytes


def _counts(macs, parameters):
    operator = facts.OperatorFacts(
        subgraph=0,
        index=0,
        name="CONV_2D",
        version=1,
        is_custom=False,
        inputs=(),
        outputs=(),
        weights=(),
        macs=macs,
    )
    return dataclasses.replace(
        factories.model_facts(), operators=(operator,), parameters=parameters
    )


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ((50, 25), ""),
        ((51, 26), ""),
        ((60, 25), "50.0% of the MACs that.*Received: 60.0%"),
        ((50, 40), "25.0% of the parameters that.*Received: 40.0%"),
    ],
)
def test_a_file_must_have_lost_as_much_as_the_keras_model(after, message):
    shrinkage = compression.Shrinkage(
        macs_before=1000, macs=500, parameters_before=400, parameters=100
    )
    before, found = _counts(100, 100), _counts(*after)
    if not message:
        shrinkage.require_in(before, found)
        return
    with pytest.raises(errors.VerificationError, match=message):
        shrinkage.require_in(before, found)
