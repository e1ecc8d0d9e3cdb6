# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from tests.evaluation.metrics import tasks
from tflite_opt.evaluation.metrics import base, reconstruction
from tflite_opt.records import errors

_RANDOM = np.random.default_rng(0)
_INPUTS = _RANDOM.normal(size=(40, 4, 4, 1)).astype(np.float32)
_LABELS = np.arange(40) % 2
# Anomalies, label 1, are given back worse.
_OUTPUT = (
    _INPUTS
    + _RANDOM.normal(size=_INPUTS.shape)
    * (0.5 + 0.2 * _LABELS)[:, None, None, None]
)
_ERRORS = np.square(_OUTPUT - _INPUTS).mean(axis=(1, 2, 3))


def _task(labels, output=_OUTPUT):
    return tasks.a_task(output, labels, _INPUTS)


def test_with_labels_it_is_the_auc_of_the_error_and_the_error():
    chosen = base.choose("auto", _task(_LABELS))
    values = [
        tasks.value(m, tasks.statistics(m, _OUTPUT, _LABELS, _INPUTS))
        for m in chosen
    ]
    assert [m.name for m in chosen] == [
        "reconstruction",
        "reconstruction_error",
    ]
    assert values[0] == pytest.approx(
        sklearn_metrics.roc_auc_score(_LABELS, _ERRORS)
    )
    assert values[1] == pytest.approx(_ERRORS.mean())
    assert [m.higher_is_better for m in chosen] == [True, False]


@pytest.mark.parametrize("labels", [None, np.arange(40)], ids=["none", "ten"])
def test_without_labels_of_anomalies_it_is_the_error(labels):
    chosen = base.choose("reconstruction", _task(labels))
    assert [m.name for m in chosen] == ["reconstruction_error"]


def test_a_vector_like_its_input_is_a_reconstruction_only_without_classes():
    features = np.zeros((6, 5))
    anomalies, classes = np.array([0, 1] * 3), np.arange(6) % 5
    for labels, name in ((anomalies, "reconstruction"), (classes, "top1")):
        task = tasks.a_task(features, labels, features)
        assert base.choose("auto", task)[0].name == name


def test_refuses_an_output_of_another_shape():
    with pytest.raises(errors.ModelError, match="shaped like the first input"):
        base.choose("reconstruction", _task(_LABELS, _OUTPUT[:, :2]))


def test_refuses_data_without_an_anomaly():
    with pytest.raises(errors.DataError, match="both occur"):
        base.choose("reconstruction", _task(np.zeros(40, np.int64)))


def test_a_reconstruction_that_is_not_finite_is_refused():
    output = _OUTPUT.copy()
    output[7, 0] = np.nan
    with pytest.raises(errors.ModelError, match="must be finite"):
        tasks.statistics(
            reconstruction.ReconstructionError(), output, None, _INPUTS
        )
