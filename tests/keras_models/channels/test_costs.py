# SPDX-License-Identifier: Apache-2.0
import types

import numpy as np
import pytest

from tflite_opt.keras_models.channels import (
    costs,
    groups,
    latency,
    macs,
    selection,
)
from tflite_opt.records import errors
from tflite_opt.tflite import slimming, timing

pytestmark = pytest.mark.tensorflow


class Converter:
    """Writes a file as long as the model has parameters."""

    def convert(self, model, dtype, destination):
        assert dtype == "int8"
        destination.write_bytes(bytes(100 + model.count_params()))


@pytest.fixture
def model():
    import tf_keras as keras

    x = vector = keras.Input((8,))
    x = keras.layers.Dense(64, name="wide")(x)
    x = keras.layers.Reshape((64,), name="same")(x)
    return keras.Model(vector, keras.layers.Dense(4, name="scores")(x))


def _choices(found):
    scores = {x.name: np.arange(float(x.size)) for x in found.groups}
    limits = selection.Limits(min_fraction=0.0, round_to=8)
    return selection.Choices(scores, {"wide": 1}, "global", limits)


@pytest.mark.parametrize(
    ("kind", "whole", "half"),
    [
        ("channels", 64, 32),
        ("macs", 64 * 12, 32 * 12),
        ("parameters", 64 * 13 + 4, 32 * 13 + 4),
    ],
)
def test_counts(model, kind, whole, half):
    found = groups.find(model)
    cost = costs.Counted(kind, model, found)
    assert cost.whole == cost.measure(model) == whole
    assert cost.of(model, found, _choices(found))({"wide": 32}) == half


def _measured(kind, model, folder):
    return costs.Measured(kind, model, "int8", Converter(), folder)


def test_bytes_are_interpolated_between_files(model, tmp_path, monkeypatch):
    monkeypatch.setattr(
        slimming,
        "slim",
        lambda path: types.SimpleNamespace(content=path.read_bytes()),
    )
    cost = _measured("file_bytes", model, tmp_path)
    assert cost.whole == cost.measure(model) == 100 + model.count_params()
    found = groups.find(model)
    predict = cost.of(model, found, _choices(found))
    for width in (64, 40, 16):
        parameters = macs.count(model, found, {"wide": width}).parameters
        assert predict({"wide": width}) == pytest.approx(100 + parameters)


def test_latency_is_that_of_the_table(model, tmp_path, monkeypatch):
    tables = []

    class Table:
        def __init__(self, trials, layers):
            tables.append((trials, layers))

        def predict_ms(self, work):
            return work["wide"]

    monkeypatch.setattr(latency, "Table", Table)
    monkeypatch.setattr(
        timing,
        "fastest_ms",
        lambda paths, **_: tuple(float(p.stat().st_size) for p in paths),
    )
    cost = _measured("latency", model, tmp_path)
    found = groups.find(model)
    for _ in range(2):
        predict = cost.of(model, found, _choices(found))
        assert predict({"wide": 16}) == 8 * 16
    # It is made once, from the whole model and three narrower ones.
    ((trials, layers),) = tables
    assert [trial.work["wide"] / 8 for trial in trials] == [64, 48, 32, 16]
    assert layers == ["wide", "same", "scores"]
    assert cost.measure(model) == cost.whole


def test_a_file_that_does_not_run_has_no_latency(model, tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "fastest_ms", lambda paths, **_: (np.nan,))
    with pytest.raises(errors.BenchmarkError, match="that it cannot run"):
        _measured("latency", model, tmp_path)
