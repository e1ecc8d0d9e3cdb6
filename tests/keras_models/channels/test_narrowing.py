# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.keras_models import tiny
from tflite_opt.keras_models.channels import (
    costs,
    groups,
    macs,
    narrowing,
    surgery,
)
from tflite_opt.records import channel_budget, errors

pytestmark = pytest.mark.tensorflow

_SETTINGS = narrowing.Settings(
    criterion="l1",
    ranking="per_layer",
    min_fraction=0.0,
    round_to=1,
    protected=(),
    seed=0,
)


class Guessed(costs.Costs):
    """Parameters, of which only a part is predicted."""

    tolerance = costs.Tolerance(low=0.8, high=1.0, highest=1.0)

    def __init__(self, model, unforeseen):
        self.unforeseen = unforeseen
        self.measured = []
        self.whole = self._parameters(model)

    def _parameters(self, model):
        return macs.count(model, groups.find(model)).parameters

    def of(self, model, groups, choices):
        counter = macs.Counter(model, groups)
        return lambda widths: counter.count(widths).parameters

    def measure(self, model):
        found = self._parameters(model)
        self.measured.append(found)
        return self.unforeseen * found


def wide():
    import tf_keras as keras

    image = keras.Input((4, 4, 1))
    x = keras.layers.Flatten()(image)
    x = keras.layers.Dense(64, name="wide")(x)
    return keras.Model(image, keras.layers.Dense(4, name="scores")(x))


def narrowed(model, cost, fraction=0.5, confirm=True):
    budget = channel_budget.Budget(kind="file_bytes", fraction=fraction)
    return narrowing.narrow(
        model, cost, budget, _SETTINGS, tiny.split(), confirm=confirm
    )


def test_predictions_are_corrected_by_what_was_measured():
    model = wide()
    cost = Guessed(model, unforeseen=1.3)
    found = narrowed(model, cost)
    first, second = cost.measured
    assert 1.3 * second <= 0.5 * cost.whole < 1.3 * first
    assert found.count_params() == second


def test_what_was_tried_is_not_tried_again():
    model = wide()
    cost = Guessed(model, unforeseen=1.0)
    exact = cost.measure
    # What is predicted is wrong in the other direction after each correction.
    cost.measure = lambda model: exact(model) ** 2 / (0.35 * cost.whole)
    found = narrowed(model, cost, fraction=0.5)
    assert len(set(cost.measured)) == len(cost.measured) > 1
    left = found.count_params() ** 2 / (0.35 * cost.whole) / cost.whole
    assert 0.4 <= left <= 0.5


def test_a_prediction_is_enough_between_rounds():
    model = wide()
    cost = Guessed(model, unforeseen=1.3)
    assert narrowed(model, cost, confirm=False).count_params() < cost.whole
    assert cost.measured == []


def test_a_budget_that_no_file_meets_is_an_error():
    model = wide()
    cost = Guessed(model, unforeseen=1.0)
    # However narrow, the file is as large.
    cost.measure = lambda model: cost.whole
    message = "file_bytes=0.9, and a file with 1.000 after"
    with pytest.raises(errors.TfliteOptError, match=re.escape(message)):
        narrowed(model, cost, fraction=0.9)


def test_surgery_that_changes_more_than_it_removes_is_an_error(monkeypatch):
    shrink = surgery.shrink

    def careless(*arguments):
        smaller = shrink(*arguments)
        layer = smaller.get_layer("wide")
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel, bias + 0.1])
        return smaller

    monkeypatch.setattr(surgery, "shrink", careless)
    model = wide()
    message = "must compute what the whole one does with zeros"
    with pytest.raises(errors.VerificationError, match=message):
        narrowed(model, Guessed(model, unforeseen=1.0))
