# SPDX-License-Identifier: Apache-2.0
"""Real files of other kinds than classifiers, from file to record."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from sklearn import metrics as sklearn_metrics

from tests.tflite import handmade
from tflite_opt.data import dataset
from tflite_opt.evaluation import evaluate
from tflite_opt.records import artifact

_RANDOM = np.random.default_rng(0)
_BINARY = np.arange(60) % 2


def _negation(shape):
    builder = handmade.Builder()
    x, y = (builder.tensor((1, *shape), name=name) for name in "xy")
    builder.operator("NEG", (x,), (y,), options=schema.NegOptionsT())
    builder.ends((x,), (y,))
    return builder


def _evaluate(builder, inputs, labels, tmp_path, originals=None):
    path = builder.save(tmp_path / "model.tflite")
    split = dataset.Split(
        name="test",
        inputs={"x": inputs.astype(np.float32)},
        labels=labels,
        ids=np.arange(len(inputs)),
    )
    return evaluate.evaluate(
        artifact.describe(path, format="tflite"),
        split,
        dataset="generated",
        predictions_path=tmp_path / "predictions.npz",
        options=evaluate.Options(num_workers=2),
        original_outputs=originals,
    )


def _values(found):
    return {metric.name: metric.value for metric in found.metrics}


def test_an_int8_autoencoder_by_its_dequantized_output(tmp_path):
    # Only anomalies leave the range of the quantization.
    inputs = _RANDOM.uniform(-1, 1, (60, 8)) * (1 + _BINARY)[:, None]
    found = _evaluate(handmade.quantize(1 / 127, 0), inputs, _BINARY, tmp_path)
    wanted = inputs.astype(np.float32)
    output = np.clip(np.round(wanted * 127), -128, 127) / 127
    errors = np.square(output - wanted).mean(axis=1)
    assert _values(found) == pytest.approx(
        {
            "reconstruction": sklearn_metrics.roc_auc_score(_BINARY, errors),
            "reconstruction_error": errors.mean(),
        },
        rel=1e-5,
    )
    with np.load(found.predictions_path) as stored:
        assert sorted(stored) == ["ids", "labels", "reconstruction_error"]


def test_a_binary_classifier_with_one_score(tmp_path):
    scores = _RANDOM.normal(size=60) + _BINARY
    found = _evaluate(_negation((1,)), -scores[:, None], _BINARY, tmp_path)
    expected = sklearn_metrics.roc_auc_score(_BINARY, scores)
    assert _values(found) == {"auc": pytest.approx(expected)}


def test_a_regression(tmp_path):
    inputs = _RANDOM.normal(size=(60, 4))
    wanted = inputs @ handmade.WEIGHTS.T + handmade.BIAS
    labels = (wanted + [[0.5, 0, -0.1]]).astype(np.float32)
    found = _evaluate(handmade.dense(), inputs, labels, tmp_path)
    assert _values(found) == pytest.approx(
        {"mae": 0.2, "mse": 0.26 / 3}, rel=1e-4
    )


def test_a_segmentation(tmp_path):
    labels = _RANDOM.integers(3, size=(60, 4, 5))
    scores = _RANDOM.normal(size=(60, 4, 5, 3)) + np.eye(3)[labels]
    found = _evaluate(_negation((4, 5, 3)), -scores, labels, tmp_path)
    expected = sklearn_metrics.jaccard_score(
        labels.reshape(-1), scores.argmax(-1).reshape(-1), average="macro"
    )
    assert _values(found) == {"mean_iou": pytest.approx(expected)}
    with np.load(found.predictions_path) as stored:
        assert sorted(stored) == ["ids", "intersections", "unions"]


def test_outputs_that_are_no_scores_without_labels(tmp_path):
    inputs = _RANDOM.normal(size=(60, 1))
    originals = {"y": (-1.01 * inputs).astype(np.float32)}
    found = _evaluate(_negation((1,)), inputs, None, tmp_path, originals)
    assert _values(found) == {
        "relative_error": pytest.approx(0.01 / 1.01, rel=1e-4)
    }
    assert found.agreement.same_predictions is None
    assert not found.metric.higher_is_better
