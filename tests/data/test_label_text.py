# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.data import label_text
from tflite_opt.records import errors


@pytest.mark.parametrize(
    ("texts", "labels", "names"),
    [
        (["3", "0", "+1"], np.array([3, 0, 1]), ()),
        (["3", "0", "1.0"], np.array([3, 0, 1], np.float32), ()),
        (["-0.5", "2e3"], np.array([-0.5, 2000], np.float32), ()),
        (["dog", "10", "cat"], np.array([2, 0, 1]), ("10", "cat", "dog")),
    ],
    ids=["class indices", "values", "more values", "names"],
)
def test_what_a_column_means(texts, labels, names):
    found, class_names = label_text.parse({"train": texts}, "'d'")
    np.testing.assert_array_equal(found["train"], labels, strict=True)
    assert class_names == names


def test_names_may_be_numbers_and_are_sorted_as_text():
    found, names = label_text.from_names(
        {"train": ["9", "10"], "test": ["10"]}, "'d'"
    )
    assert names == ("10", "9")
    assert found["test"].tolist() == [0]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"train": ["a", "", "b"]},
            "Every example must have a label. Received: 1 of 3 empty in 'd'",
        ),
        ({"train": ["1", "nan"]}, "Received: NaN or infinity in 'd'"),
        (
            {"train": ["a", "a"]},
            "at least two classes. Received: only 'a' in 'd'",
        ),
        (
            {"train": ["a", "b"], "test": ["c", "d", "a"]},
            "Labels of the test part must be classes of the train part. "
            "Received: 'c' (2 such in all) in 'd'",
        ),
    ],
    ids=["empty", "not finite", "one class", "unknown class"],
)
def test_rejects(texts, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        label_text.parse(texts, "'d'")
