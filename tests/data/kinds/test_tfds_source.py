# SPDX-License-Identifier: Apache-2.0
import io
import re
import sys
import types

import numpy as np
import pytest
from PIL import Image

from tflite_opt.data import dataset, sources
from tflite_opt.records import errors


def load(name="toy", **fields):
    return sources.load(
        dataset.DataSpec(
            source=f"tfds:{name}", **{"num_calibration": 2} | fields
        )
    )


class ImageFeature:
    pass


class ClassLabel:
    names = ("cat", "dog")


class Builder:
    """What is used of a builder of TensorFlow Datasets."""

    sizes = {"train": 20, "test": 8, "extra": 4}
    keys = ("image", "label")

    def __init__(self):
        self.is_prepared = False
        self.info = types.SimpleNamespace(
            supervised_keys=self.keys,
            features={"image": ImageFeature(), "label": ClassLabel()},
        )

    def download_and_prepare(self):
        self.is_prepared = True

    def as_data_source(self, decoders):
        assert self.is_prepared
        assert decoders == {"image": "encoded"}
        return {
            name: [self.record(i) for i in range(count)]
            for name, count in self.sizes.items()
        }

    @staticmethod
    def record(index):
        content = io.BytesIO()
        pixels = np.full((6, 4, 3), index, np.uint8)
        Image.fromarray(pixels).save(content, "PNG")
        return {"image": content.getvalue(), "label": index % 2, "id": b"x"}


@pytest.fixture
def library(monkeypatch):
    def builder(name, file_format):
        assert file_format == "array_record"
        if name != "toy":
            raise KeyError(f"Dataset {name} not found.\nAvailable: many")
        return Builder()

    fake = types.ModuleType("tensorflow_datasets")
    fake.builder = builder
    fake.features = types.SimpleNamespace(
        Image=ImageFeature, ClassLabel=ClassLabel
    )
    fake.decode = types.SimpleNamespace(SkipDecoding=lambda: "encoded")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", fake)
    return fake


@pytest.mark.usefixtures("library")
def test_keeps_the_test_part_and_decodes_by_itself():
    data = load(preprocessing="unit")
    assert data.name == "tfds:toy"
    assert data.class_names == ("cat", "dog")
    assert data.input_shapes == {"image": (6, 4, 3)}
    sizes = {name: len(split) for name, split in data.splits.items()}
    assert sizes == {
        "train": 18,
        "calibration": 2,
        "validation": 2,
        "test": 8,
    }
    for split in data.splits.values():
        values = split.inputs["image"][:][:, 0, 0, 0] * 255
        np.testing.assert_allclose(values, split.ids % 20, atol=1e-4)
        np.testing.assert_array_equal(split.labels, split.ids % 2)


@pytest.mark.usefixtures("library")
def test_a_set_that_is_not_there_is_one_error():
    with pytest.raises(errors.DataError) as caught:
        load("toys")
    assert str(caught.value) == (
        "Cannot prepare tfds:toys: KeyError: 'Dataset toys not found."
        "\\nAvailable: many'"
    )


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "keys", [None, ("image", "image"), ("label", "label"), ("a", "b", "c")]
)
def test_rejects_what_is_no_set_of_images_with_classes(monkeypatch, keys):
    monkeypatch.setattr(Builder, "keys", keys)
    with pytest.raises(
        errors.DataError,
        match=re.escape(f"Received: 'toy' with supervised_keys={keys}."),
    ):
        load()


def test_says_how_to_install_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(
        errors.InputError, match="Run `pip install tensorflow-datasets`"
    ):
        load()
