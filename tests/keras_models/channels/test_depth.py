# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.data import dataset
from tflite_opt.keras_models.channels import depth
from tflite_opt.keras_models.rewriting import graph
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


def net():
    """Three blocks, of which the second does the least.

    The third is read from inside, so that it cannot be removed.
    """
    import tf_keras as keras

    x = vector = keras.Input((4,), name="vector")
    for name, scale in (("first", 1.0), ("second", 0.01)):
        y = keras.layers.Dense(
            4, kernel_initializer=keras.initializers.Constant(scale), name=name
        )(x)
        x = keras.layers.Add(name=f"{name}_add")([x, y])
    y = keras.layers.Dense(4, name="third")(x)
    x = keras.layers.Add(name="third_add")([y, x])
    x = keras.layers.Concatenate(name="both")([x, y])
    return keras.Model(vector, keras.layers.Dense(2, name="scores")(x))


def examples():
    values = np.random.default_rng(0).random((8, 4), np.float32)
    return dataset.Split(
        name="calibration", inputs={"x": values}, labels=None, ids=np.arange(8)
    )


def test_finds_blocks_that_nothing_else_reads():
    found = depth.find(graph.read(net()))
    assert [block.name for block in found] == ["first_add", "second_add"]
    assert [call.layer.name for call in found[0].calls] == [
        "first",
        "first_add",
    ]


def test_removes_the_block_that_does_the_least():
    model = net()
    inputs = examples()
    x = inputs.inputs["x"]
    expected = x + x @ model.get_layer("first").kernel.numpy()
    found, names = depth.remove(model, 1, (), inputs)
    assert names == ("second_add",)
    assert "second" not in [layer.name for layer in found.layers]
    inside = type(found)(found.input, found.get_layer("first_add").output)
    np.testing.assert_allclose(inside(x), expected, rtol=1e-6)
    assert found.output_shape == (None, 2)


def test_removes_blocks_that_follow_one_another():
    model = net()
    inputs = examples()
    found, names = depth.remove(model, 2, (), inputs)
    assert names == ("second_add", "first_add")
    x = inputs.inputs["x"]
    inside = type(found)(found.input, found.get_layer("third").output)
    third = model.get_layer("third")
    np.testing.assert_allclose(
        inside(x), x @ third.kernel.numpy() + third.bias.numpy(), rtol=1e-5
    )


def nested():
    """A block with another inside, which does nothing, and a last one."""
    import tf_keras as keras

    def block(x, inside, name, weight):
        constant = keras.initializers.Constant(weight)
        dense = keras.layers.Dense(4, kernel_initializer=constant, name=name)
        return keras.layers.Add(name=f"{name}_add")([x, dense(inside)])

    vector = keras.Input((4,), name="x")
    # The mean taken away, nothing is left of the sum.
    inner = block(vector, vector, "inner", -0.25)
    outer = block(vector, inner, "outer", 1.0)
    last = block(outer, outer, "last", 1.0)
    return keras.Model(vector, keras.layers.Dense(2, name="scores")(last))


def test_what_is_inside_of_a_removed_block_is_gone_with_it():
    found, names = depth.remove(nested(), 2, (), examples())
    assert names == ("outer_add", "last_add")
    assert [layer.name for layer in found.layers] == ["x", "scores"]
    message = "Received: blocks=3. There are 2: outer_add, last_add."
    with pytest.raises(errors.InputError, match=re.escape(message)):
        depth.remove(nested(), 3, (), examples())


def test_protected_blocks_stay():
    _, names = depth.remove(net(), 1, ("second",), examples())
    assert names == ("first_add",)


def test_more_blocks_than_there_are_is_an_error():
    message = "Received: blocks=2. There are 1: first_add."
    with pytest.raises(errors.InputError, match=re.escape(message)):
        depth.remove(net(), 2, ("second",), examples())
