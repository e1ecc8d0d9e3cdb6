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

TECHNIQUES = ("clustering", "pruning", "quantization_aware_training")
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


def _call(technique, model):
    """Calls TF-MOT as its documentation does, and our own quantization."""
    import tensorflow_model_optimization as tfmot

    if technique == "pruning":
        return tfmot.sparsity.keras.prune_low_magnitude(model)
    if technique == "clustering":
        clustering = tfmot.clustering.keras
        return clustering.cluster_weights(
            model,
            number_of_clusters=16,
            cluster_centroids_init=clustering.CentroidInitialization.LINEAR,
        )
    inputs = {
        name: np.ones((2, *tensor.shape[1:]), np.float32)
        for name, tensor in zip(model.input_names, model.inputs, strict=True)
    }
    return aware.make(model, inputs).model


def _changed(model):
    """Returns the names of the layers that TF-MOT's wrappers work on."""
    names = set()
    for wrapper in model.layers:
        config = getattr(wrapper, "quantize_config", None)
        layer = getattr(wrapper, "layer", None)
        if type(wrapper).__name__ == "QuantizeLayer":
            names.add(wrapper.name.removesuffix("_rounding"))
        if (
            getattr(wrapper, "prunable_weights", ())
            or getattr(wrapper, "original_clusterable_weights", ())
            or (
                config is not None
                and hasattr(config, "get_output_quantizers")
                and (
                    config.get_weights_and_quantizers(layer)
                    or config.get_activations_and_quantizers(layer)
                    or config.get_output_quantizers(layer)
                )
            )
        ):
            names.add(layer.name)
    return names


def _assert_true(model):
    """Checks the table of a model against what TF-MOT does with it."""
    import tf_keras as keras

    found = layer_support.examine(model)
    assert found.techniques == TECHNIQUES
    for technique in TECHNIQUES:
        try:
            result = _call(technique, keras.models.clone_model(model))
        except (*base.refusals(), errors.ModelError):
            result = None
        assert found.is_blocked(technique) == (result is None), technique
        if result is None:
            continue
        own = set(base.own_layers(model))
        listed = {
            layer.path
            for layer in found.with_status(technique, "applies")
            # What TF-MOT replaces has other names afterwards.
            if layer.path in own and "replaces" not in _reason(layer, technique)
        }
        assert listed == _changed(result) & own, technique


def _reason(layer, technique):
    return layer.verdicts[technique].reason


@pytest.mark.parametrize("name", _FAST)
def test_the_table_says_what_tf_mot_does(name):
    _assert_true(kinds.build(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(kinds.NAMES) - set(_FAST)))
def test_the_table_says_what_tf_mot_does_with_other_layers(name):
    _assert_true(kinds.build(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", _APPLICATIONS)
def test_the_table_says_what_tf_mot_does_with_whole_architectures(name):
    import tf_keras as keras

    _assert_true(getattr(keras.applications, name)(weights=None))


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
