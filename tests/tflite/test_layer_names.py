# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.tflite import handmade
from tflite_opt.tflite import facts, layer_names


def _chain(path, names, output=None):
    """Saves RELUs in a row with outputs of these names."""
    builder = handmade.Builder()
    tensors = [builder.tensor((1, 4), name="x")]
    tensors += [builder.tensor((1, 4), name=name) for name in names]
    for before, after in zip(tensors, tensors[1:], strict=False):
        builder.operator("RELU", (before,), (after,))
    builder.ends(tensors[:1], tensors[-1:])
    if output:
        builder.signature("serve", {"x": 0}, {output: tensors[-1]})
    return builder.save(path)


def _layers(path, layers):
    found = facts.read_facts(path, delegation=False)
    return layer_names.layers_of_operations(path, found, layers)


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("model/conv/Conv2D1", ("conv",)),
        ("model/relu/Relu;model/bn/FusedBatchNormV3;model/conv/Conv2D;", None),
        ("outer/inner/conv/Relu;outer/inner/conv/Conv2D", ("inner/conv",)),
        ("model/block/se/Mul", ("block/se",)),
        ("block/se/Mul", ("block/se",)),
        ("conv/bn/mul", ("bn",)),
        ("conv/conv/Conv2D", ("conv",)),
        ("conv/Conv2D", ("conv",)),
        ("model/other/conv", ()),
        ("while/add_4", ()),
        ("", ()),
    ],
)
def test_names_tell_of_layers(tmp_path, name, layers):
    path = _chain(tmp_path / "model.tflite", [name])
    known = ("conv", "bn", "relu", "inner", "inner/conv", "block/se")
    expected = ("conv", "bn", "relu") if layers is None else layers
    assert _layers(path, known) == {(0, 0): expected}


def test_an_output_is_called_like_its_layer(tmp_path):
    path = _chain(
        tmp_path / "model.tflite",
        ["model/conv/Relu", "PartitionedCall:0"],
        output="scores",
    )
    found = _layers(path, ("conv", "scores"))
    assert found == {(0, 0): ("conv",), (0, 1): ("scores",)}


def test_weights_tell_where_the_output_does_not(tmp_path):
    builder = handmade.dense()
    names = ("x", "model/dense/MatMul", "bias", "PartitionedCall:0")
    for tensor, name in zip(
        builder.model.subgraphs[0].tensors, names, strict=True
    ):
        tensor.name = name
    path = builder.save(tmp_path / "model.tflite")
    assert _layers(path, ("dense",)) == {(0, 0): ("dense",)}


@pytest.mark.tensorflow
def test_real_files_of_reference_models_tell_of_every_operation(tmp_path):
    from tflite_opt.conversion import tflite_converter
    from tflite_opt.keras_models import freezing, layer_support, reference
    from tflite_opt.records import conversion

    model = reference.build("ds_cnn", (16, 16, 1), 4)
    freezing.freeze(model, tmp_path / "saved_model")
    path = tmp_path / "model.tflite"
    path.write_bytes(
        tflite_converter.convert(
            tmp_path / "saved_model", conversion.ConverterOptions(), {}
        )
    )
    found = _layers(path, [name for name, _ in layer_support.walk(model)])
    assert all(found.values())
    assert found[0, 1] == (
        "block1_depthwise",
        "block1_depthwise_bn",
        "block1_depthwise_relu",
    )
    assert list(found.values())[-1] == ("probabilities",)
