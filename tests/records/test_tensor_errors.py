# SPDX-License-Identifier: Apache-2.0
import dataclasses

from tflite_opt.records import tensor_errors

_FIRST = tensor_errors.TensorError(
    name="net/conv/Relu6",
    layers=("conv",),
    operation="CONV_2D",
    position=0,
    dtype="int8",
    snr_db=12.5,
    own_snr_db=20.0,
    cosine=0.98,
    shift_fraction=0.7,
    clipped_fraction=0.0,
    unused_range_fraction=0.25,
    channel_spread=3.0,
)
_EXACT = dataclasses.replace(
    _FIRST, name="pool", layers=(), position=1, snr_db=None
)
_WORST = dataclasses.replace(_FIRST, name="logits", position=2, snr_db=4.0)
_ERRORS = tensor_errors.TensorErrors(
    parent_sha256="a" * 64,
    sha256="b" * 64,
    num_examples=50,
    divergence=0.01,
    agreement=0.9,
    tied_fraction=0.0,
    tensors=(_FIRST, _EXACT, _WORST),
)


def test_survives_a_round_trip(tmp_path):
    path = tmp_path / "int8.json"
    _ERRORS.save(path)
    assert tensor_errors.TensorErrors.load(path) == _ERRORS


def test_the_noisiest_comes_first_and_the_exact_one_last():
    assert _ERRORS.worst_first == (_WORST, _FIRST, _EXACT)


def test_the_first_noisy_tensor_is_found_in_execution_order():
    assert _ERRORS.first_below(20) == _FIRST
    assert _ERRORS.first_below(10) == _WORST
    assert _ERRORS.first_below(1) is None


def test_a_tensor_is_called_after_its_layers_if_they_are_known():
    assert (_FIRST.label, _EXACT.label) == ("conv", "pool")
