# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.keras_models import freezing, saved_model
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


def _saved(path, batch=None):
    """Saves a module with two signatures, one output out of order."""
    import tensorflow as tf

    class Module(tf.Module):
        def __init__(self):
            self.weights = tf.Variable(np.ones((4, 2), np.float32))

        @tf.function(
            input_signature=[tf.TensorSpec((batch, 4), tf.float32, name="x")]
        )
        def classify(self, x):
            return {"z": x @ self.weights, "a": tf.reduce_sum(x, 1)}

        @tf.function(input_signature=[tf.TensorSpec((), tf.string, name="t")])
        def tokenize(self, t):
            return {"n": tf.strings.length(t)}

    module = Module()
    tf.saved_model.save(
        module,
        str(path),
        signatures={"classify": module.classify, "tokenize": module.tokenize},
    )


def test_a_signature_is_taken_by_name(tmp_path):
    _saved(tmp_path / "saved")
    found = saved_model.load(tmp_path / "saved", "classify")
    assert [(s.name, s.shape, s.dtype) for s in found.inputs] == [
        ("x", (1, 4), "float32")
    ]
    assert set(found.output_names) == {"a", "z"}
    outputs = freezing.predict(found, {"x": np.ones((3, 4), np.float32)})
    np.testing.assert_array_equal(outputs["z"], np.full((3, 2), 4.0))
    np.testing.assert_array_equal(outputs["a"], np.full(3, 4.0))


def test_a_saved_model_can_be_frozen_after_its_directory_is_gone(tmp_path):
    import shutil

    import tensorflow as tf

    _saved(tmp_path / "saved")
    found = saved_model.load(tmp_path / "saved", "classify")
    shutil.rmtree(tmp_path / "saved")
    freezing.freeze(found, tmp_path / "frozen")
    loaded = tf.saved_model.load(str(tmp_path / "frozen"))
    outputs = loaded.signatures["serving_default"](x=tf.ones((1, 4)))
    np.testing.assert_array_equal(outputs["z"], [[4, 4]])


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        (None, "which are classify, tokenize. Received: signature=none"),
        ("encode", "Received: signature='encode'"),
        ("tokenize", "known number of dimensions"),
    ],
)
def test_rejects_a_signature(tmp_path, signature, message):
    _saved(tmp_path / "saved")
    with pytest.raises(errors.ModelError, match=re.escape(message)):
        saved_model.load(tmp_path / "saved", signature)


def test_a_fixed_batch_of_one_is_run_example_by_example(tmp_path):
    _saved(tmp_path / "saved", batch=1)
    found = saved_model.load(tmp_path / "saved", "classify")
    outputs = freezing.predict(found, {"x": np.ones((3, 4), np.float32)})
    assert outputs["z"].shape == (3, 2)


def test_another_fixed_batch_is_refused(tmp_path):
    _saved(tmp_path / "saved", batch=8)
    with pytest.raises(errors.ModelError, match="with a batch of 8"):
        saved_model.load(tmp_path / "saved", "classify")


def test_a_directory_without_a_model_is_one_error(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"nothing")
    with pytest.raises(errors.ModelError, match="Cannot load the SavedModel"):
        saved_model.load(tmp_path, None)
