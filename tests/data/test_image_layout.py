# SPDX-License-Identifier: Apache-2.0
import io
import re

import pytest

from tflite_opt.data import image_layout
from tflite_opt.records import errors


class Tree:
    """Files that are empty but for the tables."""

    def __init__(self, names, **tables):
        self._tables = {
            f"{folder.replace('_', '/')}labels.csv".removeprefix("/"): text
            for folder, text in tables.items()
        }
        self._names = sorted([*names.split(), *self._tables])

    def names(self):
        return self._names

    def open(self, name):
        return io.BytesIO(self._tables[name].encode())


def find(names, **tables):
    layout = image_layout.find(Tree(names, **tables), "'d'")
    return {e.name: (e.part, e.label) for e in layout.entries}


@pytest.mark.parametrize("root", ["", "data/", "data/more/"])
def test_class_folders_are_a_pool(root):
    found = find(f"{root}cat/1.png {root}cat/sub/2.JPG {root}dog/3.jpeg")
    assert found == {
        f"{root}cat/1.png": ("train", "cat"),
        f"{root}cat/sub/2.JPG": ("train", "cat"),
        f"{root}dog/3.jpeg": ("train", "dog"),
    }


@pytest.mark.parametrize("validation", ["validation", "val", "valid"])
@pytest.mark.parametrize("root", ["", "data/"])
def test_folders_of_parts(root, validation):
    found = find(
        f"{root}train/a/1.png {root}{validation}/b/2.png {root}test/a/x/3.png"
    )
    assert list(found.values()) == [
        ("test", "a"),
        ("train", "a"),
        ("validation", "b"),
    ]


def test_a_class_may_be_called_train():
    found = find("train/1.png bus/2.png")
    assert list(found.values()) == [("train", "bus"), ("train", "train")]


def test_images_without_classes_are_unlabelled():
    assert set(find("1.png 2.png").values()) == {("train", None)}
    found = find("train/1.png test/2.png")
    assert list(found.values()) == [("test", None), ("train", None)]


def test_other_files_are_no_images():
    assert list(find("a/1.png b/2.png b/notes.txt README.md")) == [
        "a/1.png",
        "b/2.png",
    ]


def test_a_table_labels_images_instead_of_folders(caplog):
    found = find(
        "x/1.png x/2.png 3.png",
        **{"": "\ufefffile, label\nx/1.png, dog\n./3.png,cat\n"},
    )
    assert found == {"x/1.png": ("train", "dog"), "3.png": ("train", "cat")}
    assert (
        "Left out 1 of 3 images in 'd' that labels.csv does not list"
        in caplog.text
    )


@pytest.mark.parametrize(
    "tables",
    [
        {"": "label,file\n1,train/1.png\n0,test/2.png\n"},
        {"train_": "file,label\n1.png,1\n", "test_": "file,label\n2.png,0\n"},
    ],
    ids=["one", "one for each part"],
)
def test_tables_of_parts(tables):
    found = find("train/1.png test/2.png", **tables)
    assert found["train/1.png"] == ("train", "1")
    assert found["test/2.png"] == ("test", "0")


@pytest.mark.parametrize(
    ("names", "tables", "message"),
    [
        ("a/notes.txt", {}, "Received: none in 'd'"),
        (
            "a/1.png b/2.png 3.png",
            {},
            "All images must be in class folders, or none. Received: 1 of 3 "
            "beside them, '3.png' for one, in 'd'. labels.csv may say",
        ),
        (
            "train/1.png test/a/2.png",
            {},
            "Received: 1 of 2 beside them, 'train/1.png' for one",
        ),
        (
            "train/a/1.png test/a/2.png extra/a/3.png",
            {},
            "there must be no others. Received: test, train and extra in 'd'",
        ),
        (
            "1.png",
            {"": "file,label\n1.png,a\n2.png,b\n"},
            "The files in 'labels.csv' must be images beside it. Received: "
            "'2.png', which is not there, in 'd'",
        ),
        (
            "1.png",
            {"": "file,label\n1.png,a\n1.png,a\n./1.png,b\n"},
            "An image must have one label in 'labels.csv'. Received: 'a' and "
            "'b' for '1.png' in 'd'",
        ),
        (
            "1.png",
            {"": "file,class\n1.png,a\n"},
            "Every row of 'labels.csv' must have a file and a label. Received:",
        ),
        (
            "1.png",
            {"": "file,label\n1.png,\n"},
            "must have a file and a label. Received: {'file': '1.png', "
            "'label': ''} in 'd'",
        ),
    ],
)
def test_rejects(names, tables, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        find(names, **tables)


def test_rejects_a_table_that_is_no_text():
    tree = Tree("1.png", **{"": ""})
    tree.open = lambda name: io.BytesIO(b"file,label\n\xff\xfe,1\n")
    with pytest.raises(errors.DataError, match="Cannot read 'labels.csv' in"):
        image_layout.find(tree, "'d'")
