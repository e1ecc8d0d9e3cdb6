# SPDX-License-Identifier: Apache-2.0
import functools
import importlib
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
        ("mobilenet_v3_small", (224, 224, 3), 1000, 2_554_968),
        ("efficientnet_lite0", (224, 224, 3), 1000, 4_694_024),
        ("autoencoder", (640,), 2, 269_992),
    ],
)
def test_has_the_published_number_of_parameters(
    name, input_shape, num_classes, parameters
):
    model = reference.build(name, input_shape, num_classes)
    assert model.count_params() == parameters


def test_ds_cnn_can_normalize_what_activations_give():
    build = functools.partial(reference.build, "ds_cnn", (8, 8, 1), 10)
    usual = build()
    other = build(normalize_last=True, epsilon=1e-6)
    assert other.count_params() == usual.count_params()
    assert {x.name for x in other.layers} == {x.name for x in usual.layers}
    for model, order in ((usual, ["bn", "relu"]), (other, ["relu", "bn"])):
        names = [x.name for x in model.layers if x.name.startswith("stem_")]
        assert names == [*(f"stem_{x}" for x in order), "stem_dropout"]
    assert other.get_layer("block4_pointwise_bn").epsilon == 1e-6


# Of the examples of each data set, and its classes; 28x28 for the digits.
SHAPES = {
    "sensor": ({"sequence": (64, 3)}, 6),
    "tokens": ({"tokens": (16,)}, 4),
    "graphs": ({"features": (16, 4), "adjacency": (16, 16)}, 5),
    "vibration": ({"spectrum": (64,)}, 2),
    "digits": ({"image": (28, 28, 1)}, 7),
}
VOCABULARY_SIZE = 92


@pytest.fixture(scope="module")
def built():
    """Returns a function that builds each model once for its own data."""

    @functools.cache
    def build(name):
        shapes, num_classes = SHAPES[reference.default_dataset(name)]
        return reference.build(name, shapes, num_classes, VOCABULARY_SIZE)

    return build


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("cnn_1d", 17_862),
        ("lstm", 26_118),
        ("gru", 20_102),
        ("transformer_encoder", 39_876),
        ("graph_network", 17_797),
        ("autoencoder", 121_960),
    ],
)
def test_has_the_number_of_parameters_its_docstring_says(
    built, name, parameters
):
    assert built(name).count_params() == parameters
    docstring = importlib.import_module(f"models.{name}").__doc__
    assert f"{parameters:,}" in docstring.replace("\n", " ")


@pytest.mark.parametrize("name", reference.names())
def test_gives_probabilities_or_its_input_back(built, name):
    model = built(name)
    shapes, num_classes = SHAPES[reference.default_dataset(name)]
    generator = np.random.default_rng(0)
    specs = freezing.input_specs(model)
    inputs = {
        spec.name: generator.integers(0, 2, (3, *shape)).astype(spec.dtype)
        for spec, shape in zip(specs, shapes.values(), strict=True)
    }
    ((output, values),) = freezing.predict(model, inputs).items()
    if name == "autoencoder":
        assert output == "reconstruction"
        assert values.shape == inputs["example"].shape
        return
    assert output == "probabilities"
    assert values.shape == (3, num_classes)
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", reference.names())
def test_every_layer_is_a_named_layer_of_keras(built, name):
    model = built(name)
    assert model.name == name
    for layer in model.layers:
        kind = type(layer)
        assert "Lambda" not in kind.__name__, layer.name
        assert kind.__module__.startswith("tf_keras"), layer.name
        automatic = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
        assert not re.fullmatch(rf"{automatic}_\d+", layer.name)


@pytest.mark.parametrize(
    "shape", [(40,), (10, 3), (8, 8, 1)], ids=["vector", "sequence", "image"]
)
def test_autoencoder_takes_any_shape(shape):
    model = reference.build("autoencoder", shape)
    assert model.output_shape == (None, *shape)


def test_position_matters_to_the_transformer(built):
    model = built("transformer_encoder")
    tokens = np.arange(16, dtype=np.int32)[np.newaxis]
    forward, backward = (
        freezing.predict(model, {"tokens": x})["probabilities"]
        for x in (tokens, tokens[:, ::-1])
    )
    assert np.abs(forward - backward).max() > 1e-5


def test_order_of_nodes_does_not_matter_to_the_graph_network(built):
    model = built("graph_network")
    generator = np.random.default_rng(0)
    features = generator.random((1, 16, 4), np.float32)
    adjacency = generator.random((1, 16, 16), np.float32)
    order = generator.permutation(16)
    first = freezing.predict(
        model, {"features": features, "adjacency": adjacency}
    )
    again = freezing.predict(
        model,
        {
            "features": features[:, order],
            "adjacency": adjacency[:, order][:, :, order],
        },
    )
    np.testing.assert_allclose(
        first["probabilities"], again["probabilities"], atol=1e-5
    )


def test_mobilenet_v3_computes_hard_swish(built):
    import tf_keras as keras

    model = built("mobilenet_v3_small")
    swish = keras.Model(
        model.get_layer("stem_bn").output, model.get_layer("stem_swish").output
    )
    x = np.linspace(-5, 5, 28 * 28 * 16).reshape(1, 28, 28, 16).astype("f")
    np.testing.assert_allclose(
        swish(x), x * np.clip(x + 3, 0, 6) / 6, atol=1e-5
    )


@pytest.mark.parametrize(
    ("side", "last_side"), [(8, 4), (28, 4), (32, 4), (96, 3), (224, 7)]
)
@pytest.mark.parametrize("name", ["mobilenet_v3_small", "efficientnet_lite0"])
def test_small_images_keep_a_map_of_4(name, side, last_side):
    model = reference.build(name, (side, side, 3), 10, width_multiplier=0.25)
    assert model.get_layer("pool").input_shape[1:3] == (last_side, last_side)


@pytest.mark.parametrize(
    "name", ["sample_cnn", "resnet8", "efficientnet_lite0", "autoencoder"]
)
def test_tfmot_quantizes_what_has_its_layers_only(built, name):
    import tensorflow_model_optimization as tfmot

    model = tfmot.quantization.keras.quantize_model(built(name))
    assert len(model.layers) > 3


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
        ("mobilenet_v3_small", "MobileNetV3Small", 0.75),
    ],
)
def test_width_multiplier_scales_like_the_stock_model(name, stock, width):
    import tf_keras as keras

    expected = getattr(keras.applications, stock)(
        (96, 96, 3), alpha=width, weights=None
    )
    model = reference.build(name, (96, 96, 3), 1000, width_multiplier=width)
    assert model.count_params() == expected.count_params()


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v1",
        "mobilenet_v2",
        "mobilenet_v3_small",
        "efficientnet_lite0",
    ],
)
@pytest.mark.parametrize("width", [0.0, -1.0])
def test_rejects_a_width_multiplier_without_filters(name, width):
    with pytest.raises(
        errors.ModelError, match=re.escape(f"width_multiplier={width}")
    ):
        reference.build(name, (32, 32, 3), 10, width_multiplier=width)


@pytest.mark.parametrize(
    ("depth", "blocks"), [(0.25, 7), (0.5, 11), (1.0, 17), (2.0, 34)]
)
def test_depth_multiplier_scales_how_often_blocks_are_repeated(depth, blocks):
    model = reference.build(
        "mobilenet_v2",
        (32, 32, 3),
        10,
        width_multiplier=0.125,
        depth_multiplier=depth,
    )
    names = [x.name for x in model.layers if x.name.endswith("_depthwise")]
    assert len(names) == blocks


def test_a_fourth_stage_makes_resnet8_a_resnet10():
    model = reference.build("resnet8", (32, 32, 3), 10, stages=4)
    convolutions = [x for x in model.layers if "Conv2D" in type(x).__name__]
    # Projections are not counted in a ResNet's depth, the last layer is.
    deep = [x for x in convolutions if "projection" not in x.name]
    assert len(deep) + 1 == 10
    assert model.get_layer("pool").input_shape[1:] == (4, 4, 128)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("mobilenet_v2", {"depth_multiplier": 0.0}),
        ("resnet8", {"stages": 0}),
    ],
)
def test_rejects_a_network_without_blocks(name, option):
    ((key, value),) = option.items()
    with pytest.raises(errors.ModelError, match=re.escape(f"{key}={value}")):
        reference.build(name, (32, 32, 3), 10, **option)
