# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.keras_models import freezing, reference
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("name", "input_shape", "num_classes", "parameters"),
    [
        ("sample_cnn", (8, 8, 1), 10, 40_906),
        ("resnet8", (32, 32, 3), 10, 78_666),
        ("ds_cnn", (49, 10, 1), 12, 24_908),
        ("mobilenet_v1", (224, 224, 3), 1000, 4_253_864),
        ("mobilenet_v2", (224, 224, 3), 1000, 3_538_984),
    ],
)
def test_has_the_published_number_of_parameters(
    name, input_shape, num_classes, parameters
):
    model = reference.build(name, input_shape, num_classes)
    assert model.count_params() == parameters


@pytest.mark.parametrize("name", reference.names())
def test_gives_probabilities_for_a_small_image(name):
    model = reference.build(name, (28, 28, 1), 7)
    assert model.input_names == ["image"]
    assert model.output_names == ["probabilities"]
    image = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    (outputs,) = freezing.predict(model, {"image": image}).values()
    assert outputs.shape == (3, 7)
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2"])
@pytest.mark.parametrize(
    ("side", "last_side"),
    [(28, 2), (32, 2), (96, 3), (224, 7)],
)
def test_mobilenet_keeps_a_map_for_small_images(name, side, last_side):
    model = reference.build(name, (side, side, 3), 10, width_multiplier=0.125)
    assert model.get_layer("pool").input_shape[1:3] == (last_side, last_side)


@pytest.mark.parametrize(
    ("name", "stock", "width"),
    [
        ("mobilenet_v1", "MobileNet", 0.25),
        ("mobilenet_v2", "MobileNetV2", 0.35),
        ("mobilenet_v2", "MobileNetV2", 1.4),
    ],
)
def test_width_multiplier_scales_like_the_stock_model(name, stock, width):
    import tf_keras as keras

    expected = getattr(keras.applications, stock)(
        (96, 96, 3), alpha=width, weights=None
    )
    model = reference.build(name, (96, 96, 3), 1000, width_multiplier=width)
    assert model.count_params() == expected.count_params()


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2"])
@pytest.mark.parametrize("width", [0.0, -1.0])
def test_rejects_a_width_multiplier_without_filters(name, width):
    with pytest.raises(
        errors.ModelError, match=re.escape(f"width_multiplier={width}")
    ):
        reference.build(name, (32, 32, 3), 10, width_multiplier=width)
