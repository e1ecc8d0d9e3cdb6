# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.data import pictures
from tflite_opt.data import dataset, sources
from tflite_opt.records import errors


def load(path, **fields):
    return sources.load(
        dataset.DataSpec(
            source=f"images:{path}", **{"num_calibration": 2} | fields
        )
    )


def sizes(data):
    return {name: len(split) for name, split in data.splits.items()}


@pytest.fixture(params=["folder", "zip"])
def pack(request, tmp_path):
    """Returns the tree itself or an archive of it."""

    def packed(root):
        if request.param == "folder":
            return root
        return pictures.zipped(root, tmp_path / "data.zip")

    return packed


def test_class_folders_are_split_by_class(tmp_path, pack):
    root = pictures.write_classes(tmp_path / "data", ("dog", "cat"), count=10)
    data = load(pack(root))
    assert data.name.startswith("images:data")
    assert data.class_names == ("cat", "dog")
    assert data.num_classes == 2
    assert data.input_shapes == {"image": (8, 8, 3)}
    assert sizes(data) == {
        "train": 12,
        "calibration": 2,
        "validation": 3,
        "test": 5,
    }
    for split in data.splits.values():
        # Dogs are dark: 0 to 9; cats are 100 to 109.
        values = split.inputs["image"][:][:, 0, 0, 0]
        np.testing.assert_array_equal(values < 50, split.labels == 1)
        np.testing.assert_array_equal(values % 100, split.ids % 10)


def test_a_folder_and_its_archive_are_the_same_data(tmp_path):
    root = pictures.write_classes(tmp_path / "data")
    archive = pictures.zipped(root, tmp_path / "data.zip")
    assert load(root).fingerprint() == load(archive).fingerprint()


def test_parts_are_kept(tmp_path, pack):
    for part, count in (("train", 6), ("val", 2), ("test", 3)):
        pictures.write_classes(tmp_path / "data" / part, count=count)
    data = load(pack(tmp_path / "data"))
    assert sizes(data) == {
        "train": 12,
        "calibration": 2,
        "validation": 4,
        "test": 6,
    }
    assert data["test"].labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_grey_images_have_one_channel_unless_the_formula_needs_three(tmp_path):
    for i in range(9):
        pictures.write(tmp_path / f"{i}.png", i, mode="L")
    assert load(tmp_path).input_shape == (8, 8, 1)
    assert load(tmp_path, preprocessing="caffe").input_shape == (8, 8, 3)
    pictures.write(tmp_path / "9.png", 9)
    assert load(tmp_path).input_shape == (8, 8, 3)


def test_loose_images_are_unlabelled(tmp_path):
    for i in range(9):
        pictures.write(tmp_path / f"{i}.png", i)
    data = load(tmp_path)
    assert data.num_classes is None
    assert data.class_names == ()
    assert data["test"].labels is None


def test_a_table_may_hold_values(tmp_path):
    rows = ["file,label"]
    for i in range(9):
        pictures.write(tmp_path / f"{i}.png", i)
        rows.append(f"{i}.png,{i / 2}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    data = load(tmp_path)
    test = data["test"]
    assert data.num_classes is None
    np.testing.assert_array_equal(
        test.labels, test.inputs["image"][:][:, 0, 0, 0] / 2
    )


def test_images_of_several_sizes_need_one(tmp_path):
    pictures.write_classes(tmp_path / "data")
    pictures.write(tmp_path / "data" / "dog" / "x.png", size=(8, 9))
    with pytest.raises(
        errors.DataError,
        match=re.escape(
            "--image_size=HEIGHTxWIDTH. Received: 'cat/0.png' of 8x8 and "
            "'dog/x.png' of 8x9 in '"
        ),
    ):
        load(tmp_path / "data")
    data = load(tmp_path / "data", image_size=(4, 6), preprocessing="unit")
    assert data["test"].inputs["image"][:2].shape == (2, 4, 6, 3)


def test_unreadable_images_leave_others_their_labels(tmp_path, caplog):
    root = pictures.write_classes(tmp_path / "data", count=50)
    (root / "cat" / "2.png").write_text("text")
    data = load(root)
    assert "'cat/2.png': no image" in caplog.text
    values = data["train"].inputs["image"][:][:, 0, 0, 0]
    np.testing.assert_array_equal(values >= 100, data["train"].labels == 1)
    assert sum(len(data[x]) for x in ("train", "validation", "test")) == 99


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: root.mkdir(), "There must be images"),
        (lambda root: None, "No data set at"),
        (
            lambda root: pictures.write_classes(root, ("cat",)),
            "There must be at least two classes. Received: only 'cat' in",
        ),
        (
            lambda root: (
                pictures.write_classes(root / "train"),
                pictures.write_classes(root / "test", ("cat", "cow")),
            ),
            "classes of the train part. Received: 'cow'",
        ),
    ],
    ids=["empty", "missing", "one class", "unknown class"],
)
def test_rejects(tmp_path, make, message):
    make(tmp_path / "data")
    with pytest.raises(errors.DataError, match=re.escape(message)):
        load(tmp_path / "data")
