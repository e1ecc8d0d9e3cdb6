# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tflite_opt.records import evaluation
from tflite_opt.report import evaluation_text


def _error(**fields):
    values = {
        "name": "mae",
        "value": 0.01234567,
        "low": -0.001,
        "high": 12345.6,
        "higher_is_better": False,
        "method": "percentile bootstrap",
        "is_fraction": False,
    }
    return evaluation.Metric(**values | fields)


def test_fractions_are_percentages_and_errors_are_not():
    assert (
        evaluation_text.metric(factories.accuracy(0.98))
        == "98.00% (97.00%-99.00%)"
    )
    assert evaluation_text.metric(_error()) == "0.01235 (-0.001 to 1.235e+04)"
    assert evaluation_text.metric(None) == evaluation_text.value(None) == "-"
    assert evaluation_text.value(_error()) == "0.01235"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("top1", "top-1"),
        ("mean_iou", "mean iou"),
        ("python:package.module:own_score", "own score"),
        ("relative_error", "error relative to the original"),
    ],
)
def test_people_call_metrics_otherwise_than_flags_do(name, label):
    assert evaluation_text.label(name) == label


def test_the_header_says_the_direction_and_what_is_missing():
    assert (
        evaluation_text.header(_error(), True)
        == "mae (95 % CI), lower is better"
    )
    assert (
        evaluation_text.header(factories.accuracy(name="agreement"), False)
        == "no labels: agreement with the original (95 % CI)"
    )
    assert evaluation_text.header(None, True) == "not evaluated"


def test_a_loss_in_the_unit_of_the_metric_is_no_percentage():
    drop = factories.drop(0.5, low=0.25, high=1.0, unit="metric")
    assert evaluation_text.loss(drop) == "+0.5 (+0.25 to +1)"
    drop = factories.drop(0.5, low=0.25, high=1.0, unit="relative")
    assert evaluation_text.loss(drop) == "+50.00% (+25.00% to +100.00%)"


def test_the_table_has_a_column_for_each_metric():
    found = evaluation.Evaluation(
        **vars(factories.evaluated(factories.tflite()))
        | {"metrics": (_error(), _error(name="mse", value=0.5))}
    )
    text = evaluation_text.table([found])
    header, _, line, last = text.splitlines()
    assert header.split()[:2] == ["model", "mae"]
    assert " mse " in header
    assert "0.5 (-0.001 to" in line
    assert last == "450 examples of digits, split validation"
