# SPDX-License-Identifier: Apache-2.0
import re
import sys
import types

import numpy as np
import pytest

from tflite_opt.data import dataset, sources
from tflite_opt.records import errors

X = np.arange(80, dtype=np.float32).reshape(40, 2)
Y = np.arange(40) % 4


@pytest.fixture
def load(monkeypatch):
    """Returns a loader of what a user's function returns."""

    def loaded(function):
        module = types.ModuleType("theirs")
        module.__file__ = "theirs.py"
        module.__spec__ = types.SimpleNamespace()
        module.data = function
        monkeypatch.setitem(sys.modules, "theirs", module)
        return sources.load(
            dataset.DataSpec(source="python:theirs:data", num_calibration=2)
        )

    return loaded


def check(data, labels=Y, x=X, name="x"):
    for split in data.splits.values():
        ids = split.ids % 40
        np.testing.assert_array_equal(split.inputs[name], x[ids])
        if labels is None:
            assert split.labels is None
        else:
            np.testing.assert_array_equal(split.labels, labels[ids])


def test_a_mapping_with_the_keys_of_an_npz(load):
    data = load(lambda: {"x_train": X, "y_train": Y.tolist()})
    assert data.name == "python:theirs:data"
    assert data.num_classes == 4
    check(data)


def test_inputs_of_a_mapping_may_be_mappings(load):
    ids = np.arange(40)[:, np.newaxis]
    data = load(lambda: {"x_train": {"values": X, "ids": ids}, "y_train": None})
    assert data.input_shapes == {"values": (2,), "ids": (1,)}
    assert data["train"].inputs["ids"].dtype == np.int32
    check(data, None, name="values")


def test_a_pair_of_pairs(load):
    data = load(lambda: ((X, Y), (X, Y)))
    assert len(data["test"]) == 40
    check(data)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (
            None,
            "A function must return a mapping with x_train and the like, a "
            "pair (x_train, y_train), (x_test, y_test), or tf.data.Datasets. "
            "Received: NoneType in what theirs:data returns",
        ),
        ((X, Y), "Received: ndarray for train in what theirs:data returns"),
        ({"x": X}, "Missing: x_train. Received: x in what theirs:data returns"),
        (
            {"x_train": [[1], [1, 2]]},
            "`x_train` must be an array. Received: setting an array element",
        ),
        ({"x_train": X, "y_train": Y[:3]}, "Received: {'x': 40, 'labels': 3}"),
    ],
    ids=["nothing", "one pair", "keys", "ragged", "lengths"],
)
def test_rejects(load, returned, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        load(lambda: returned)


def test_what_the_function_raises_is_theirs(load):
    with pytest.raises(
        errors.UserCodeError, match="theirs:data raised ZeroDivisionError"
    ) as caught:
        load(lambda: 1 // 0)
    assert "in <lambda>" in caught.value.traceback_text


@pytest.mark.tensorflow
class TestStreams:
    """A `tf.data.Dataset`, or several."""

    @staticmethod
    def stream(*arrays):
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices(
            arrays if len(arrays) > 1 else arrays[0]
        )

    @pytest.mark.parametrize(
        "arrange",
        [
            lambda stream: stream,
            lambda stream: stream.batch(7),
            lambda stream: stream.batch(8, drop_remainder=True),
            lambda stream: {"train": stream.batch(7), "test": stream},
        ],
        ids=["examples", "batches", "fixed batches", "parts"],
    )
    def test_labelled(self, load, arrange):
        check(load(lambda: arrange(self.stream(X, Y))))

    def test_unlabelled(self, load):
        check(load(lambda: self.stream(X).batch(7)), None)

    def test_named_inputs(self, load):
        stream = self.stream({"a": X, "b": X + 1}, Y).batch(7)
        data = load(lambda: stream)
        check(data, name="a")
        check(data, x=X + 1, name="b")

    @pytest.mark.parametrize(
        ("arrange", "message"),
        [
            (
                lambda stream: stream(X, Y).repeat(),
                "A tf.data.Dataset must end. Received: 'train' without an end",
            ),
            (
                lambda stream: stream(X).batch(8, drop_remainder=True),
                "must come in batches whose size is open, as batch() makes "
                "them. Received: (8, 2) in 'train'",
            ),
            (
                lambda stream: stream(X, Y, Y),
                "nested tuples or 3 values in 'train'",
            ),
            (
                lambda stream: {"training": stream(X, Y)},
                "Datasets must be called train, validation, test. Received: "
                "'training' in what theirs:data returns",
            ),
        ],
        ids=["endless", "no labels", "weights", "names"],
    )
    def test_rejects(self, load, arrange, message):
        with pytest.raises(errors.DataError, match=re.escape(message)):
            load(lambda: arrange(self.stream))

    def test_what_it_raises_on_the_way_is_theirs(self, load):
        import tensorflow as tf

        def generate():
            yield X[0], 0
            raise KeyError("gone")

        signature = tf.TensorSpec((2,)), tf.TensorSpec((), tf.int64)
        with pytest.raises(errors.UserCodeError, match="gone"):
            load(
                lambda: tf.data.Dataset.from_generator(
                    generate, output_signature=signature
                )
            )
