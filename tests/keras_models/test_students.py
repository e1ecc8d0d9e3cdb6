# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.keras_models import kinds, tiny
from tflite_opt.keras_models import students
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


def small():
    return tiny.classifier()


def logits_of(num_classes):
    return tiny.classifier(num_classes=int(num_classes))


def no_model():
    return 3


def residual(reshape=False):
    import tf_keras as keras
    from tf_keras import layers

    image = keras.Input((8, 8, 3), name="pixels")
    x = layers.Conv2D(32, 3, padding="same", name="first")(image)
    y = layers.DepthwiseConv2D(3, padding="same")(x)
    y = layers.BatchNormalization()(layers.Conv2D(32, 1, name="second")(y))
    x = layers.Add()([x, y])
    x = layers.GlobalAveragePooling2D()(x)
    if reshape:
        x = layers.Flatten()(layers.Reshape((4, 8))(x))
    x = layers.Dense(20, activation="relu", name="hidden")(x)
    x = layers.Dense(10, name="logits")(x)
    return keras.Model(image, layers.Softmax()(x))


def test_a_narrowed_model_has_fewer_channels_but_the_same_outputs():
    model = residual()
    found = students.narrowed(model, 0.5)
    widths = {
        name: found.get_layer(name).kernel.shape[-1]
        for name in ("first", "second", "hidden", "logits")
    }
    assert widths == {"first": 16, "second": 16, "hidden": 8, "logits": 10}
    assert found.input_names == ["pixels"]
    assert found.output_shape == (None, 10)
    assert model.get_layer("first").filters == 32


def test_a_nested_model_is_narrowed_inside():
    found = students.narrowed(kinds.build("nested"), 0.5)
    assert found.get_layer("inner").get_layer("conv").filters == 2


def test_the_same_width_has_new_weights():
    model = residual()
    found = students.narrowed(model, 1.0)
    assert found.count_params() == model.count_params()
    kernels = [x.get_layer("first").kernel.numpy() for x in (model, found)]
    assert (kernels[0] != kernels[1]).any()


def test_refuses_layers_of_a_fixed_width():
    message = "`width_multiplier` needs layers that fit together at any width."
    with pytest.raises(errors.ModelError, match=re.escape(message)):
        students.narrowed(residual(reshape=True), 0.5)


def test_a_reference_model_gets_the_inputs_and_classes_of_the_teacher():
    found = students.build(residual(), "sample_cnn", {})
    assert found.input_names == ["pixels"]
    assert found.input_shape == (None, 8, 8, 3)
    assert found.output_shape == (None, 10)


def test_a_function_of_the_users_gets_its_options():
    found = students.build(
        tiny.classifier(), f"{__name__}:logits_of", {"num_classes": 5}
    )
    assert found.output_shape == (None, 5)
    assert found.input_names == ["image"]


@pytest.mark.parametrize(
    ("student", "options", "message"),
    [
        ("sample_cn", {}, "`model` must be one of "),
        ("sample_cnn", {"alpha": 1}, "Received: alpha=1"),
        (f"{__name__}:no_model", {}, "Received: int from "),
        (
            f"{__name__}:small",
            {},
            "A student must have the inputs of its teacher, with shapes "
            "[(8, 8, 3)]. Received: [(4, 4, 1)]",
        ),
        (f"{__name__}:small", {"x": 1}, "raised TypeError"),
    ],
    ids=["name", "option", "no model", "inputs", "argument"],
)
def test_refuses_a_student_that_does_not_fit(student, options, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        students.build(residual(), student, options)
