# SPDX-License-Identifier: Apache-2.0
"""Models for slimming that the other fixtures do not have."""

import io
import pathlib
import struct
import zipfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade
from tflite_opt.tflite import flatbuffer, slimming

WORDS = (b"zero", b"one", b"", b"three")
LABELS = b"cat\ndog\n" * 20


def write_int8(build, shape, path: pathlib.Path) -> None:
    """Converts an untrained Keras model to int8."""
    import tensorflow as tf
    import tf_keras as keras

    keras.utils.set_random_seed(0)
    model = build()
    random = np.random.default_rng(0)
    for weight in model.weights:
        # Untrained statistics make all channels alike.
        name = weight.name.split("/")[-1]
        if name.startswith(("gamma", "moving_variance")):
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        elif weight.shape.rank == 1:
            weight.assign(random.normal(0.0, 0.1, weight.shape))
    model.export(str(path.with_suffix("")))
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(path.with_suffix(""))
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [random.random((1, *shape), dtype=np.float32)] for _ in range(3)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    path.write_bytes(converter.convert())


def write_branches(path: pathlib.Path) -> None:
    """Converts a condition, whose branches become graphs of their own."""
    import tensorflow as tf

    module = tf.Module()
    module.weights = tf.constant(np.arange(16.0).reshape(4, 4), tf.float32)
    module.call = tf.function(
        lambda x: tf.cond(
            tf.reduce_sum(x) > 0,
            lambda: tf.matmul(x, module.weights),
            lambda: x - 1.0,
        )
    )
    function = module.call.get_concrete_function(
        tf.TensorSpec((1, 4), tf.float32, name="x")
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function], module
    )
    path.write_bytes(converter.convert())


def write_signatures(path: pathlib.Path) -> None:
    """Converts a module with two entry points that share their weights."""
    import tensorflow as tf

    module = tf.Module()
    module.weights = tf.constant(np.arange(256.0).reshape(16, 16), tf.float32)
    spec = tf.TensorSpec((1, 16), tf.float32, name="x")
    module.encode = tf.function(
        lambda x: {"code": tf.matmul(x, module.weights)}, input_signature=[spec]
    )
    module.score = tf.function(
        lambda x: {"score": tf.nn.relu(tf.matmul(x, module.weights))},
        input_signature=[spec],
    )
    folder = str(path.with_suffix(""))
    tf.saved_model.save(
        module,
        folder,
        signatures={"encode": module.encode, "score": module.score},
    )
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    path.write_bytes(converter.convert())


def write_sparse(path: pathlib.Path) -> None:
    """Converts a dense layer whose zeros are encoded."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    weights = random.normal(size=(64, 64)).astype(np.float32)
    weights[random.random((64, 64)) < 0.9] = 0.0
    module = tf.Module()
    module.call = tf.function(lambda x: tf.matmul(x, tf.constant(weights)))
    function = module.call.get_concrete_function(
        tf.TensorSpec((1, 64), tf.float32, name="x")
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function], module
    )
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    path.write_bytes(converter.convert())


def words() -> handmade.Builder:
    """Returns a graph that looks up words by index."""
    ends = np.cumsum([0, *map(len, WORDS)]) + 4 * (len(WORDS) + 2)
    content = struct.pack(f"<{len(ends) + 1}i", len(WORDS), *ends)
    builder = handmade.Builder()
    table = builder.tensor((len(WORDS),), "string", name="words")
    graph = builder.model.subgraphs[0]
    graph.tensors[table].buffer = builder.buffer(content + b"".join(WORDS))
    index = builder.tensor((3,), "int32", name="index")
    found = builder.tensor((3,), "string", name="found")
    builder.operator(
        "GATHER", (table, index), (found,), options=schema.GatherOptionsT()
    )
    builder.ends((index,), (found,))
    return builder


def with_files(content: bytes, *, positions_of_file: bool) -> bytes:
    """Appends a zip of associated files.

    Args:
        content: A `.tflite`.
        positions_of_file: Whether positions in the zip count from the start of
            the file, as one of the two kinds of tools writes them.
    """
    buffer = io.BytesIO()
    if positions_of_file:
        buffer.write(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("labels.txt", LABELS)
        archive.writestr("vocabulary.txt", b"the\nof\n")
    return (
        buffer.getvalue() if positions_of_file else content + buffer.getvalue()
    )


def slim_content(path):
    """Returns the slimmed file, after checking what it says it saved."""
    slimmed = slimming.slim(path)
    assert slimmed.unchanged_because == ""
    assert len(slimmed.content) < slimmed.original_bytes
    assert slimmed.original_bytes == path.stat().st_size
    saved = slimmed.original_bytes - len(slimmed.content)
    assert sum(slimmed.saved_bytes.values()) == saved
    return slimmed.content


def read(content, tmp_path):
    """Returns the parsed form of a file's content."""
    path = tmp_path / "slimmed.tflite"
    path.write_bytes(content)
    return flatbuffer.read(path)
