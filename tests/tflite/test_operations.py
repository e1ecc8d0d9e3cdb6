# SPDX-License-Identifier: Apache-2.0
"""Operations as the converter writes them, with hand-computed figures."""

import contextlib
import io

import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import facts

pytestmark = pytest.mark.tensorflow


def _convert(model):
    import tensorflow as tf

    with contextlib.redirect_stdout(io.StringIO()):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        return converter.convert()


def _all_kinds():
    import tensorflow as tf
    import tf_keras as keras

    layers = keras.layers
    # Biases of zero would be left out.
    biased = {"bias_initializer": "ones"}
    image = keras.Input((6, 6, 4), batch_size=1)
    x = layers.Conv2D(8, 3, groups=2, **biased)(image)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, **biased)(x)
    x = layers.Conv2DTranspose(3, 2, strides=2, **biased)(x)
    x = layers.Reshape((4, 2, 2, 3))(x)
    x = layers.Conv3D(5, 2, use_bias=False)(x)
    x = layers.Conv3DTranspose(2, 2, strides=2, use_bias=False)(x)
    x = layers.Reshape((6, 8))(x)
    x = tf.matmul(x, x, transpose_b=True)
    x = layers.Flatten()(x)
    return keras.Model(image, layers.Dense(7, **biased)(x))


def _gru():
    import tf_keras as keras

    steps = keras.Input((5, 4), batch_size=2)
    return keras.Model(steps, keras.layers.GRU(6, reset_after=False)(steps))


def _loop():
    import tensorflow as tf
    import tf_keras as keras

    x = keras.Input((4,), name="x")
    matrix = tf.constant(2 * np.eye(4, dtype=np.float32))
    loop = keras.layers.Lambda(
        lambda x: tf.while_loop(
            lambda i, _: i < 3,
            lambda i, y: (i + 1, tf.matmul(y, matrix)),
            [tf.constant(0), x],
        )[1]
    )
    return keras.Model(x, loop(x))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    import tf_keras as keras

    folder = tmp_path_factory.mktemp("operations")
    (folder / "kinds.tflite").write_bytes(_convert(_all_kinds()))
    (folder / "gru.tflite").write_bytes(_convert(_gru()))
    (folder / "loop.tflite").write_bytes(_convert(_loop()))
    image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Conv2D(8, 3)(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(5)(x))
    (folder / "open.tflite").write_bytes(_convert(model))
    return folder


def _macs(found):
    macs = {}
    for operator in found.operators:
        macs.setdefault(operator.name, []).append(operator.macs)
    return {name: sum(counts) for name, counts in macs.items() if any(counts)}


def test_each_kind_of_operation(folder):
    found = facts.read_facts(folder / "kinds.tflite", delegation=False)
    assert _macs(found) == {
        # 4 x 4 x 8 outputs of 3 x 3 x 2 products: two groups.
        "CONV_2D": 4 * 4 * 8 * 18,
        # 2 x 2 x 16 outputs of 3 x 3 products.
        "DEPTHWISE_CONV_2D": 2 * 2 * 16 * 9,
        # 2 x 2 x 16 inputs for 2 x 2 x 3 products.
        "TRANSPOSE_CONV": 2 * 2 * 16 * 12,
        # 3 x 1 x 1 x 5 outputs of 2 x 2 x 2 x 3 products.
        "CONV_3D": 3 * 5 * 24,
        # 3 x 1 x 1 x 5 inputs for 2 x 2 x 2 x 2 products.
        "CONV_3D_TRANSPOSE": 3 * 5 * 16,
        "BATCH_MATMUL": 6 * 6 * 8,
        "FULLY_CONNECTED": 36 * 7,
    }
    assert {o.name: o.parameters for o in found.operators if o.parameters} == {
        "CONV_2D": 8 * 18 + 8,
        "DEPTHWISE_CONV_2D": 16 * 9 + 16,
        "TRANSPOSE_CONV": 16 * 12 + 3,
        "CONV_3D": 5 * 24,
        "CONV_3D_TRANSPOSE": 5 * 16,
        "FULLY_CONNECTED": 36 * 7 + 7,
    }


def test_a_fused_lstm(converted):
    found = facts.read_facts(converted / "lstm.tflite", delegation=False)
    # 5 steps of 4 gates, each 6 x 4 and 6 x 6.
    assert found.macs == 5 * 4 * (24 + 36)
    assert found.parameters == 4 * (24 + 36) + 4 * 6 - 2 * 6
    assert not any(operator.in_loop for operator in found.operators)


def test_loops_count_as_one_turn_and_are_marked(converted):
    found = facts.read_facts(converted / "while.tflite", delegation=False)
    inside = [o for o in found.operators if o.name == "FULLY_CONNECTED"]
    assert [(o.macs, o.in_loop) for o in inside] == [(16, True)]
    assert not found.operators[0].in_loop
    assert found.macs == 16


def test_a_gru_is_a_loop_of_products(folder):
    found = facts.read_facts(folder / "gru.tflite", delegation=False)
    assert any(operator.in_loop for operator in found.operators)
    # 2 examples, 3 gates, 6 x 4 and 6 x 6.
    assert found.macs == 2 * 3 * (24 + 36)


def test_given_sizes_reach_the_body_of_a_loop(folder):
    path = folder / "loop.tflite"
    assert facts.read_facts(path, delegation=False).macs is None
    found = facts.read_facts(path, delegation=False, dynamic_dimension=7)
    assert found.macs == 7 * 16


def test_open_dimensions_take_the_sizes_that_are_given(folder):
    path = folder / "open.tflite"
    found = facts.read_facts(path, delegation=False)
    assert (found.macs, found.unknown_macs) == (None, 2)
    shape = {"image": (2, 12, 10, 3)}
    found = facts.read_facts(path, input_shapes=shape)
    # 10 x 8 x 8 outputs of 27 products, then 8 x 5.
    assert found.macs == 2 * (10 * 8 * 8 * 27 + 40)
    assert found.assumed_shapes == ((2, 12, 10, 3),)
    assert found.delegation.partitions == 1
    same = facts.read_facts(path, delegation=False, dynamic_dimension=9)
    assert same.macs == 9 * (7 * 7 * 8 * 27 + 40)


def test_sizes_the_model_cannot_take_are_an_error(folder):
    with pytest.raises(errors.ModelError, match="failed to prepare"):
        facts.read_facts(
            folder / "open.tflite", input_shapes={"image": (1, 1, 12, 3)}
        )


def test_shared_weights_are_parameters_once(tmp_path):
    builder = handmade.dense()
    tensors = builder.model.subgraphs[0].tensors
    again = builder.tensor((3, 4), buffer=tensors[1].buffer)
    y = builder.tensor((1, 3))
    builder.operator("FULLY_CONNECTED", (0, again, -1), (y,))
    path = builder.save(tmp_path / "model.tflite")
    found = facts.read_facts(path, delegation=False)
    assert [o.parameters for o in found.operators] == [12 + 3, 12]
    assert found.parameters == 12 + 3


def _published(name, tmp_path):
    import tensorflow as tf

    from models import mobilenet_v1, mobilenet_v2
    from tflite_opt.keras_models import freezing

    build = {"v1": mobilenet_v1.build, "v2": mobilenet_v2.build}[name]
    freezing.freeze(build((224, 224, 3), 1000), tmp_path / "frozen")
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "frozen")
    )
    path = tmp_path / "model.tflite"
    path.write_bytes(converter.convert())
    return facts.read_facts(path, delegation=False)


@pytest.mark.parametrize(
    ("name", "millions", "parameters"),
    [
        # Table 4 of the paper: 569 million, 4.2 million parameters.
        ("v1", 569, 4.2e6),
        # Table 4 of the paper: 300 million, 3.4 million parameters.
        ("v2", 300, 3.4e6),
    ],
    ids=["mobilenet_v1", "mobilenet_v2"],
)
def test_published_figures(tmp_path, name, millions, parameters):
    found = _published(name, tmp_path)
    assert found.macs / 1e6 == pytest.approx(millions, rel=0.003)
    assert found.parameters == pytest.approx(parameters, rel=0.03)


def _resnet50(strided):
    """Returns ResNet50 with strides in the 1x1 or the 3x3 convolutions."""
    import tf_keras as keras

    model = keras.applications.ResNet50(weights=None, classes=1000)
    config = model.get_config()
    for layer in config["layers"]:
        name = layer["config"]["name"]
        if strided == "3x3" and name[:5] in ("conv3", "conv4", "conv5"):
            if name.endswith("block1_1_conv"):
                layer["config"]["strides"] = (1, 1)
            elif name.endswith("block1_2_conv"):
                layer["config"]["strides"] = (2, 2)
    return keras.Model.from_config(config)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strided", "billions"),
    [
        # Table 1 of the paper says 3.8 billion.
        ("1x1", 3.86),
        # Version 1.5, the one mostly quoted: 4.09 billion.
        ("3x3", 4.09),
    ],
    ids=["v1", "v1.5"],
)
def test_published_figures_of_resnet50(tmp_path, strided, billions):
    path = tmp_path / "model.tflite"
    path.write_bytes(_convert(_resnet50(strided)))
    found = facts.read_facts(path, delegation=False, dynamic_dimension=1)
    assert found.macs / 1e9 == pytest.approx(billions, rel=0.003)
    assert found.parameters == pytest.approx(25.5e6, rel=0.003)
