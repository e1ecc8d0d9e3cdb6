# SPDX-License-Identifier: Apache-2.0
from tests import factories
from tflite_opt.report.page import model_charts


def _weight(index, **fields):
    values = {
        "role": "weight",
        "name": f"model/layer_{index}/Conv2D",
        "constant_bytes": 100 + index,
    }
    return factories.tensor(index, **values | fields)


def _rows(view):
    (rows,) = view.spec["datasets"].values()
    return rows


def test_the_smallest_of_many_weights_are_left_out_and_counted():
    found = factories.model_facts(*(_weight(index) for index in range(33)))
    (view,) = model_charts.weights(found)
    assert view.caption.endswith("The 3 smallest are left out.")
    names = [row["weight"] for row in _rows(view)]
    assert names[0] == "layer_3"
    assert len(names) == 30


def test_weights_of_one_name_stay_apart():
    found = factories.model_facts(
        _weight(0, name=""),
        _weight(1, name="a;m/b/w"),
        _weight(2, name="m/b/w"),
    )
    (view,) = model_charts.weights(found)
    assert [row["weight"] for row in _rows(view)] == [
        "tensor 0",
        "b",
        "b (0:2)",
    ]


def test_a_file_without_weights_or_delegation_has_no_views():
    found = factories.model_facts(operators=(("ADD", ()),))
    assert model_charts.weights(found) == []
    assert model_charts.operations(found) == []
