# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.post_training import models
from tflite_opt.keras_models.channels import groups, latency
from tflite_opt.tflite import timing


@pytest.mark.tensorflow
def test_work_is_what_layers_multiply():
    import tf_keras as keras

    x = image = keras.Input((4, 4, 1))
    x = keras.layers.Conv2D(8, 3, name="wide")(x)
    x = keras.layers.DepthwiseConv2D(1, name="each")(x)
    x = keras.layers.Conv2D(6, 1, name="narrow")(x)
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(3, name="scores")(x)
    model = keras.Model(image, x)
    work = latency.Work(model, groups.find(model))
    whole = work.of_layers({"wide": 8, "narrow": 6})
    half = work.of_layers({"wide": 4, "narrow": 3})
    assert whole == {
        "wide": 4 * 9 * 8,
        "each": 4 * 8,
        "narrow": 4 * 8 * 6,
        "scores": 4 * 6 * 3,
        "": 14,
    }
    assert half["each"] == whole["each"] / 2
    assert half["narrow"] == whole["narrow"] / 4
    assert half[""] == 7


def test_a_table_is_interpolated_and_scaled(tmp_path, monkeypatch):
    path = models.separable(tmp_path / "net.tflite")
    alone = {1.0: 4.0, 0.5: 1.0}
    current = iter(alone.values())

    def fastest_ms(paths, *, launches=1):
        # The whole file takes half of what its operations do one by one.
        if launches > 1:
            return (0.5 * 4.0 * count,)
        ms = next(current)
        return (ms,) * len(paths)

    monkeypatch.setattr(timing, "fastest_ms", fastest_ms)
    count = len(latency._split(path, tmp_path))
    table = latency.Table(
        [latency.Trial(path=path, work={"": work}) for work in alone], []
    )
    assert table.predict_ms({"": 1.0}) == pytest.approx(2.0 * count)
    assert table.predict_ms({"": 0.75}) == pytest.approx(1.25 * count)
    assert table.predict_ms({"": 0.1}) == pytest.approx(0.5 * count)
