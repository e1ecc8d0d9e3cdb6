# SPDX-License-Identifier: Apache-2.0
"""The table cannot lie: it is held against what techniques really do."""

import numpy as np
import pytest

from tests.keras_models import kinds
from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.quantization import aware
from tflite_opt.keras_models.support import base
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow

# The others have no passes of their own to be held against.
_TECHNIQUE = "quantization_aware_training"
# The others run with the slow tests.
_FAST = (
    "conv_bn",
    "conv_elu",
    "two_readers",
    "frozen",
    "conv_then_relu",
    "lambda",
    "only_lambda",
    "attention",
    "nested",
    "custom",
)
_APPLICATIONS = (
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "NASNetMobile",
    "ResNet50",
    "ResNet50V2",
    "DenseNet121",
    "InceptionV3",
    "ConvNeXtTiny",
)


def _quantization_aware(model):
    inputs = {
        name: np.ones((2, *tensor.shape[1:]), np.float32)
        for name, tensor in zip(model.input_names, model.inputs, strict=True)
    }
    return aware.make(model, inputs).model


def _changed(model):
    """Returns the names of the layers that are rounded."""
    names = set()
    for layer in model.layers:
        if hasattr(layer, "quantize_config"):
            names.add(layer.layer.name)
        elif type(layer).__name__ == "QuantizeLayer":
            names.add(layer.name.removesuffix("_rounding"))
    return names


def _assert_true(model):
    """Checks the table of a model against what is done with it."""
    import tf_keras as keras

    found = layer_support.examine(model)
    others = {"channel_pruning", "clustering", "pruning"}
    assert set(found.techniques) == {_TECHNIQUE, *others}
    try:
        result = _quantization_aware(keras.models.clone_model(model))
    except errors.ModelError:
        result = None
    assert found.is_blocked(_TECHNIQUE) == (result is None)
    if result is None:
        return
    own = set(base.own_layers(model))
    listed = {
        layer.path
        for layer in found.with_status(_TECHNIQUE, "applies")
        if layer.path in own
    }
    assert listed == _changed(result) & own


@pytest.mark.parametrize("name", _FAST)
def test_the_table_says_what_is_done(name):
    _assert_true(kinds.build(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(kinds.NAMES) - set(_FAST)))
def test_the_table_says_what_is_done_with_other_layers(name):
    _assert_true(kinds.build(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", _APPLICATIONS)
def test_the_table_says_what_is_done_with_whole_architectures(name):
    import tf_keras as keras

    build = getattr(keras.applications, name)
    _assert_true(build(weights=None, input_shape=(96, 96, 3)))


def test_layers_of_nested_models_are_listed_under_their_paths():
    found = layer_support.examine(kinds.build("nested"))
    listed = [
        (x.path, x.class_name, x.output_shape, x.parameters)
        for x in found.layers
    ]
    assert listed == [
        ("inner", "Sequential", (-1, 6, 6, 4), 0),
        ("inner/conv", "Conv2D", (-1, 6, 6, 4), 112),
        ("inner/bn", "BatchNormalization", (-1, 6, 6, 4), 16),
        ("relu", "ReLU", (-1, 6, 6, 4), 0),
    ]
    pruned = found.with_status("pruning", "applies")
    assert [layer.path for layer in pruned] == ["inner/conv"]
    trained = found.with_status("quantization_aware_training", "applies")
    assert [layer.path for layer in trained] == ["inner/conv", "relu"]


def test_a_subclassed_model_has_no_known_layers():
    import tf_keras as keras

    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    found = layer_support.examine(Own(name="own"))
    assert found.layers == ()
    assert "own is a subclassed model" in found.unknown_because
    assert "functional API" in found.unknown_because


def test_the_model_is_left_as_it_was():
    model = kinds.build("conv_bn")
    before = model.get_weights()
    layer_support.examine(model)
    after = model.get_weights()
    assert len(after) == len(before)
    assert all(map(np.array_equal, after, before))
    assert not any(hasattr(x, "get_prunable_weights") for x in model.layers)
