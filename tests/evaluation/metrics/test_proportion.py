# SPDX-License-Identifier: Apache-2.0
import numpy as np

from tflite_opt.evaluation.metrics import agreement


def _kept(right):
    return {"same_prediction": np.array(right, bool)}


def test_a_gain_is_a_negative_loss():
    metric = agreement.Agreement()
    few, many = _kept([0, 0, 1, 1]), _kept([0, 1, 1, 1])
    assert metric.loss(few, many).value == 0.25
    assert metric.loss(many, few).value == -0.25
    assert metric.loss(few, many).unit == "fraction"


def test_equal_predictions_prove_little_on_few_examples():
    metric, kept = agreement.Agreement(), _kept([1] * 20)
    loss = metric.loss(kept, kept)
    assert loss.value == 0
    assert loss.high > 0.1
    assert loss.method == "tango"
