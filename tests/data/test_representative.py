# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re

import numpy as np
import pytest

from tests.data import lazy
from tflite_opt.data import dataset, representative
from tflite_opt.records import errors, facts

IMAGE = facts.TensorSpec(name="image", shape=(1, 2, 2, 1), dtype="float32")
META = facts.TensorSpec(name="meta", shape=(1, 3), dtype="float32")


def split(**inputs):
    count = len(next(iter(inputs.values())))
    return dataset.Split(
        name="calibration",
        inputs=inputs,
        labels=np.zeros(count, np.int64),
        ids=np.arange(100, 100 + count),
    )


def ramp(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_one_input_matches_by_position():
    images = ramp(5, 2, 2, 1)
    samples = representative.representative_samples(split(x=images), [IMAGE])
    assert list(samples) == ["image"]
    assert samples["image"] is images


def test_several_inputs_match_by_name_in_the_models_order():
    data = split(image=ramp(5, 2, 2, 1), meta=ramp(5, 3))
    samples = representative.representative_samples(data, [META, IMAGE])
    assert list(samples) == ["meta", "image"]
    assert samples["meta"].shape == (5, 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            split(image=ramp(5, 2, 2, 1), metadata=ramp(5, 3)),
            "Received: inputs=['image', 'metadata'] for the model's "
            "['image', 'meta']",
        ),
        (
            split(image=ramp(5, 2, 2, 1)),
            "Received: inputs=['image'] for the model's ['image', 'meta']",
        ),
    ],
    ids=["other name", "too few"],
)
def test_rejects_names_that_do_not_match(data, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        representative.representative_samples(data, [IMAGE, META])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            ramp(5, 3, 3, 1),
            "'image' must have the shape (2, 2, 1). Received: shape=(3, 3, 1)",
        ),
        (ramp(5, 2, 2), "Received: shape=(2, 2)"),
        (
            ramp(5, 2, 2, 1).astype(np.float64),
            "'image' must be float32. Received: dtype=float64",
        ),
        (
            np.where(ramp(5, 2, 2, 1) >= 12, np.nan, 1).astype(np.float32),
            "NaN or infinity in 2 of 5 examples, the first with id 103",
        ),
        (
            np.full((5, 2, 2, 1), np.inf, np.float32),
            "NaN or infinity in 5 of 5 examples, the first with id 100",
        ),
        (
            np.full((5, 2, 2, 1), 0.5, np.float32),
            "must vary, or every range would be calibrated to nothing. "
            "Received: 0.5 in all of 5 examples",
        ),
    ],
    ids=["shape", "rank", "dtype", "nan", "inf", "constant"],
)
def test_rejects_values_that_do_not_fit(images, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        representative.representative_samples(split(x=images), [IMAGE])


def test_open_dimensions_fit_anything():
    spec = facts.TensorSpec(name="x", shape=(-1, -1, 2, 1), dtype="float32")
    matched = representative.match_inputs({"y": ramp(5, 7, 2, 1)}, [spec])
    assert matched["x"].shape == (5, 7, 2, 1)


def test_float_data_may_go_to_a_quantized_input_but_not_calibrate_it():
    spec = facts.TensorSpec(
        name="image",
        shape=(1, 2, 2, 1),
        dtype="int8",
        scale=(0.1,),
        zero_point=(0,),
    )
    images = ramp(5, 2, 2, 1)
    assert representative.match_inputs({"x": images}, [spec])["image"] is images
    with pytest.raises(errors.DataError, match="must be int8"):
        representative.representative_samples(split(x=images), [spec])


def test_match_inputs_looks_at_no_values():
    images = np.full((5, 2, 2, 1), np.nan, np.float32)
    assert (
        representative.match_inputs({"x": images}, [IMAGE])["image"] is images
    )


IDS = facts.TensorSpec(name="ids", shape=(1, 2), dtype="int32")


@pytest.mark.parametrize("dtype", ["int64", "float32", "uint8"])
def test_token_ids_reach_an_integer_input(dtype):
    ids = np.arange(10).reshape(5, 2)
    samples = representative.representative_samples(
        split(x=ids.astype(dtype)), [IDS]
    )
    assert samples["ids"].dtype == np.int32
    np.testing.assert_array_equal(samples["ids"], ids)


def test_integers_reach_float_inputs_and_those_quantized_from_float():
    quantized = facts.TensorSpec(
        name="ids", shape=(1, 2), dtype="int8", scale=(0.1,), zero_point=(0,)
    )
    ids = np.arange(10, dtype=np.int32).reshape(5, 2)
    for spec in (quantized, dataclasses.replace(IDS, dtype="float32")):
        matched = representative.match_inputs({"x": ids}, [spec])["ids"]
        assert matched.dtype == np.float32
        np.testing.assert_array_equal(matched[1:3], ids[1:3])


def test_values_that_are_no_integers_do_not_reach_an_integer_input():
    with pytest.raises(
        errors.DataError,
        match=re.escape("'ids' must hold values of dtype int32. Received: 0.5"),
    ):
        representative.representative_samples(
            split(x=ramp(5, 2) + np.float32(0.5)), [IDS]
        )


def test_lazy_inputs_are_matched_without_loading_them():
    given = lazy.Counted(ramp(5, 2, 2, 1))
    matched = representative.match_inputs({"x": given}, [IMAGE])["image"]
    assert matched is given
    assert given.largest_batch() == 0
    samples = representative.representative_samples(split(x=given), [IMAGE])
    np.testing.assert_array_equal(samples["image"], given.array)
