# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from tflite_opt.keras_models import kernels
from tflite_opt.keras_models.low_bit import signs

pytestmark = pytest.mark.tensorflow


def _draw(*shape, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=shape).astype(np.float32)


def _held(weights, values, output_axis=-1):
    import tensorflow as tf

    variable = tf.Variable(weights)
    kernel = kernels.Kernel(
        layer="conv",
        weight="kernel",
        variable=variable,
        output_axis=output_axis,
    )
    target = signs.Target(kernel=kernel, values=values)
    return variable, signs.hold([target])


@pytest.mark.parametrize(
    ("form", "choices"),
    [(signs.ternary, (-1, 0, 1)), (signs.binary, (-1, 1))],
    ids=["ternary", "binary"],
)
def test_no_other_signs_and_scale_are_closer(form, choices):
    weights = _draw(3, 6)
    found = form(weights).numpy()
    for row, chosen in zip(weights, found, strict=True):
        least = min(
            np.sum((row - scaled * (row @ scaled) / (scaled @ scaled)) ** 2)
            for scaled in map(
                np.array, itertools.product(choices, repeat=len(row))
            )
            if scaled.any()
        )
        assert np.sum((row - chosen) ** 2) == pytest.approx(least, rel=1e-4)


def test_a_channel_without_weights_stays_zero():
    weights = np.zeros((2, 5), np.float32)
    weights[1] = 0.5
    np.testing.assert_array_equal(signs.ternary(weights), weights)
    np.testing.assert_array_equal(signs.binary(weights), weights)


@pytest.mark.parametrize("axis", [-1, -2], ids=["last", "transposed"])
@pytest.mark.parametrize(("values", "most"), [("ternary", 3), ("binary", 2)])
def test_channels_have_few_values_at_once_and_after_each_step(
    values, most, axis
):
    variable, callback = _held(_draw(3, 3, 6, 8), values, axis)
    for step in range(3):
        rows = np.moveaxis(variable.numpy(), axis, 0)
        assert {len(np.unique(row)) for row in rows} == {most}
        for row in rows:
            assert len(np.unique(np.abs(row[row != 0]))) == 1
        variable.assign_add(0.1 * _draw(3, 3, 6, 8, seed=step))
        callback.on_train_batch_end(step)


def test_a_weight_changes_its_sign_when_steps_take_it_there():
    variable, callback = _held(
        np.array([[1.0], [1.0], [0.25], [-1.0]], np.float32), "ternary"
    )
    np.testing.assert_allclose(variable[:, 0], [1, 1, 0, -1])
    step = np.array([[0], [0], [-0.5], [0]], np.float32)
    variable.assign_add(step)
    callback.on_train_batch_end(0)
    # It is -0.25 by itself: still nearer to 0.
    np.testing.assert_allclose(variable[:, 0], [1, 1, 0, -1])
    variable.assign_add(step)
    callback.on_train_batch_end(1)
    scale = (1 + 1 + 0.75 + 1) / 4
    np.testing.assert_allclose(
        variable[:, 0], [scale, scale, -scale, -scale], rtol=1e-6
    )
    assert set(callback.state) == {"conv/kernel/own", "conv/kernel/shared"}
