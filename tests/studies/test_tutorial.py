# SPDX-License-Identifier: Apache-2.0
import numpy as np

from tflite_opt.data import dataset, sources
from tflite_opt.studies import tutorial
from tflite_opt.tflite import interpreter


def test_the_loop_of_the_tutorial_predicts_what_batches_predict(finished_run):
    images = sources.load(dataset.DataSpec(source="digits"))["test"].inputs
    path = finished_run.path("artifacts", "int8.tflite")
    expected = tutorial.predict(path, images["image"])
    outputs = interpreter.predict(path, {"image": images["image"]})
    found = next(iter(outputs.values())).argmax(axis=-1)
    np.testing.assert_array_equal(found, expected)
