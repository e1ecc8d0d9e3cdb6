# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.evaluation import original
from tflite_opt.records import errors

_ORIGINALS = {"y": np.array([[0.1, 0.9], [0.6, 0.4]]), "z": np.zeros(2)}
_OUTPUTS = {
    "y": np.array([[0.2, 0.8], [0.3, 0.7]], np.float32),
    "z": np.array([0.0, -0.4]),
}


def _agreement(has_class_scores):
    parts = [
        original.differences(
            {name: array[here] for name, array in _OUTPUTS.items()},
            {name: array[here] for name, array in _ORIGINALS.items()},
            has_class_scores,
        )
        for here in (slice(0, 1), slice(1, 2))
    ]
    return original.agreement(parts)


def test_all_values_of_all_batches_and_outputs_are_compared():
    found = _agreement(has_class_scores=True)
    assert found.num_examples == 2
    assert found.same_predictions == 0.5
    assert found.max_absolute_difference == pytest.approx(0.4)
    assert found.mean_absolute_difference == pytest.approx(1.2 / 6)


def test_what_is_no_scores_has_no_predictions_to_compare():
    found = _agreement(has_class_scores=False)
    assert found.same_predictions is None
    assert found.max_absolute_difference == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("shapes", "num_examples"),
    [({"y": (2,), "w": ()}, 2), ({"y": (3,), "z": ()}, 2), (None, 3)],
    ids=["name", "shape", "number"],
)
def test_other_outputs_are_not_those_of_the_original(shapes, num_examples):
    with pytest.raises(errors.DataError, match="those of the original model"):
        original.check(shapes or {"y": (2,), "z": ()}, _ORIGINALS, num_examples)
