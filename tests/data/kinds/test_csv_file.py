# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.data import dataset, sources
from tflite_opt.records import errors

ROWS = [(i, 10 * i, "odd" if i % 2 else "even", i / 2) for i in range(20)]


def write(path, header="a, b ,kind,half", rows=ROWS):
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\ufeff" + "\n".join(lines) + "\n\n", encoding="utf-8")
    return path


def load(path, label_column=None):
    return sources.load(
        dataset.DataSpec(
            source=f"csv:{path}", label_column=label_column, num_calibration=2
        )
    )


def test_names_of_classes(tmp_path):
    data = load(write(tmp_path / "d.csv"), "kind")
    assert data.name == "csv:d.csv"
    assert data.class_names == ("even", "odd")
    assert data.input_shapes == {"features": (3,)}
    for split in data.splits.values():
        features = split.inputs["features"]
        assert features.dtype == np.float32
        np.testing.assert_array_equal(
            features, split.ids[:, np.newaxis] * np.array([1, 10, 0.5])
        )
        np.testing.assert_array_equal(split.labels, split.ids % 2)


def test_integers_are_class_indices_and_other_numbers_values(tmp_path):
    rows = [(i, i % 3, i / 4) for i in range(20)]
    path = write(tmp_path / "d.csv", "a,b,c", rows)
    classes = load(path, "b")
    assert classes.num_classes == 3
    assert classes["test"].labels.tolist() == [
        i % 3 for i in classes["test"].ids
    ]
    values = load(path, "c")
    assert values.num_classes is None
    assert values["test"].labels.dtype == np.float32
    np.testing.assert_array_equal(values["test"].labels, values["test"].ids / 4)


def test_without_a_label_column_examples_are_unlabelled(tmp_path):
    rows = [(i, i) for i in range(20)]
    data = load(write(tmp_path / "d.csv", "a,b", rows))
    assert data["test"].labels is None
    assert data.input_shapes == {"features": (2,)}


@pytest.mark.parametrize(
    ("header", "rows", "label_column", "message"),
    [
        (
            "a,b",
            [(1, 2)] * 9,
            "y",
            "`label_column` must be a column beside others. Received: "
            "label_column='y'; the columns of '",
        ),
        ("a,b", [(1, 2)] * 9, "y", "are a, b"),
        ("a", [(1,)] * 9, "a", "a column beside others"),
        (
            "a,b,y",
            [(1, 2, 0), (3, "red", 1)] * 5,
            "y",
            "Received: 'red' in the column 'b', line 3 of '",
        ),
        ("a,b,y", [(1, "", 0)] * 9, "y", "Received: '' in the column 'b'"),
        ("a,b", [(1, "nan")] * 9, None, "the first in the column 'b'"),
        ("a,b", [(1, 1e300)] * 9, None, "NaN or infinity in 9 places"),
        (
            "a,b",
            [(1, 2), (1, 2, 3)],
            None,
            "Every row must have 2 columns. Received: 3 in line 3",
        ),
        ("a,a", [(1, 2)], None, "each with another name. Received: a, a"),
        ("a,b", [(1, 2)] * 3, None, "at least 4. Received: {'features': 3}"),
        (
            "a,y",
            [(1, 0), (1, -1)] * 5,
            "y",
            "Received: label -1 at position 1",
        ),
    ],
)
def test_rejects(tmp_path, header, rows, label_column, message):
    path = write(tmp_path / "d.csv", header, rows)
    with pytest.raises(errors.DataError, match=re.escape(message)):
        load(path, label_column)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"", "Received: nothing"),
        (b"a,b\n\xff\xfe,1\n", "can't decode byte 0xff"),
        (b"a,b\n1," + b"2" * 200_000, "field larger than field limit"),
    ],
    ids=["missing", "empty", "no text", "endless"],
)
def test_rejects_what_is_no_table(tmp_path, content, message):
    path = tmp_path / "d.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.DataError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)
