# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.data import lazy
from tflite_opt.data import examples
from tflite_opt.records import errors

VALUES = np.arange(12).reshape(6, 2)


def test_take_gives_an_array_for_an_array_and_loads_nothing_of_a_lazy_one():
    positions = np.array([4, 1])
    array = examples.take(VALUES, positions)
    np.testing.assert_array_equal(array, [[8, 9], [2, 3]])
    given = lazy.Counted(VALUES)
    view = examples.take(given, positions)
    assert view.shape == (2, 2)
    assert given.largest_batch() == 0
    np.testing.assert_array_equal(view[:], array)


def test_first_takes_at_most_what_is_there():
    assert len(examples.first(VALUES, 4)) == 4
    assert len(examples.first(lazy.Counted(VALUES), 40)) == 6


def test_materialize_returns_an_array_itself():
    assert examples.materialize(VALUES) is VALUES
    loaded = examples.materialize(lazy.Counted(VALUES))
    np.testing.assert_array_equal(loaded, VALUES)


def test_fingerprints_tell_values_and_dtypes_apart():
    given = [VALUES, VALUES.astype(np.int32), VALUES + 1]
    assert len({examples.fingerprint(x) for x in given}) == 3
    assert examples.fingerprint(VALUES.copy()) == examples.fingerprint(VALUES)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (VALUES, "int32"),
        (VALUES.astype(np.float32), "int64"),
        (VALUES.astype(np.int32), "float32"),
        (VALUES.astype(np.float32), "uint8"),
    ],
)
def test_cast_converts_what_is_asked_for_without_loss(values, dtype):
    given = lazy.Counted(values)
    cast = examples.Cast(given, dtype, "x")
    assert (cast.shape, len(cast), cast.dtype) == ((6, 2), 6, dtype)
    batch = cast.take(np.arange(1, 6))[1:3]
    assert batch.dtype == dtype
    np.testing.assert_array_equal(batch, values[2:4])
    assert given.largest_batch() == 2


@pytest.mark.parametrize(
    ("value", "given", "dtype"),
    [
        (0.5, "float32", "int32"),
        (3e9, "float32", "int32"),
        (np.nan, "float32", "int32"),
        (256, "int32", "uint8"),
        (-1, "int32", "uint8"),
        (2**24 + 1, "int32", "float32"),
        (2**40, "int64", "int32"),
    ],
)
def test_cast_refuses_to_lose_anything(value, given, dtype):
    cast = examples.Cast(np.array([[1], [value]], given), dtype, "ids")
    np.testing.assert_array_equal(cast[:1], [[1]])
    with pytest.raises(
        errors.DataError,
        match=re.escape(
            f"Examples for the input 'ids' must hold values of dtype {dtype}. "
            "Received: "
        ),
    ):
        cast[:]


def test_fingerprint_of_a_cast_depends_on_its_dtype():
    found = {
        examples.Cast(VALUES, dtype, "x").fingerprint()
        for dtype in ("int32", "float32", "int32")
    }
    assert len(found) == 2
