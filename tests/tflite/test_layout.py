# SPDX-License-Identifier: Apache-2.0
import io
import zipfile

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade
from tflite_opt.tflite import facts, flatbuffer, layout


def _read(path):
    found = facts.read_facts(path, delegation=False)
    assert sum(found.bytes_by_role.values()) == found.size_bytes
    assert set(found.bytes_by_role) <= set(layout.ROLES)
    return found.bytes_by_role


def _save(builder, tmp_path):
    return _read(builder.save(tmp_path / "model.tflite"))


def test_a_dense_layer(tmp_path):
    found = _save(handmade.dense(), tmp_path)
    assert found["weights"] == 12 * 4
    assert found["biases"] == 3 * 4
    # Each name has a length and a final zero; each shape a length.
    assert found["names"] == sum(4 + len(n) + 1 for n in ("x", "weights")) + (
        sum(4 + len(n) + 1 for n in ("bias", "y"))
    )
    assert found["shapes"] == 3 * (4 + 8) + (4 + 4)
    assert "quantization" not in found
    # All alignment of the small file.
    assert found["padding"] < 64


def test_quantization_is_what_it_adds(tmp_path):
    scales = 5
    builder = handmade.Builder()
    builder.tensor((scales, 2), "int8", scale=[0.5] * scales)
    builder.ends([], [])
    quantization = builder.model.subgraphs[0].tensors[0].quantization
    quantization.min, quantization.max = [-1.0] * scales, [1.0] * scales
    found = _save(builder, tmp_path)
    # Four vectors with their lengths; the rest is a table and its vtable.
    vectors = 4 * 4 + scales * (4 + 8 + 4 + 4)
    assert vectors < found["quantization"] <= vectors + 64


def test_constants_and_metadata(tmp_path):
    builder = handmade.dense()
    builder.tensor((5,), "int32", name="axes", values=np.ones(5, "int32"))
    before = _save(builder, tmp_path)
    assert before["constants"] == 20
    assert "metadata" not in before
    builder.metadata("owner", b"x" * 100)
    builder.model.description = "what it is"
    found = _save(builder, tmp_path)
    texts = (4 + len("owner") + 1) + (4 + len("what it is") + 1)
    assert 100 + texts <= found["metadata"] <= 100 + texts + 32
    assert found["constants"] == 20


def test_a_buffer_nobody_refers_to_is_unused(tmp_path):
    builder = handmade.dense()
    builder.buffer(b"x" * 70)
    assert _save(builder, tmp_path)["unused buffers"] == 70


def test_a_shared_buffer_counts_once_for_its_first_role(tmp_path):
    builder = handmade.dense()
    tensors = builder.model.subgraphs[0].tensors
    builder.tensor((3, 4), buffer=tensors[1].buffer)
    found = _save(builder, tmp_path)
    assert found["weights"] == 48
    assert "constants" not in found


def test_options_are_structure(tmp_path):
    builder = handmade.dense()
    before = _save(builder, tmp_path)["structure"]
    y = builder.tensor((3, 1))
    options = schema.ReshapeOptionsT()
    options.newShape = [3, 1] * 50
    builder.operator("RESHAPE", (3,), (y,), options=options)
    found = _save(builder, tmp_path)
    assert found["structure"] > before + 400
    assert found["padding"] < 64


def _zip():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("labels.txt", "cat\ndog\n")
        file.writestr("vocabulary.txt", "a b c")
    return content.getvalue()


def test_associated_files_behind_the_model(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    before = _read(path)
    path.write_bytes(path.read_bytes() + _zip())
    found = _read(path)
    assert found.pop("associated files") == len(_zip())
    assert found == before


def test_associated_files_added_by_a_zip_program(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    size = path.stat().st_size
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("labels.txt", "cat\ndog\n")
    assert _read(path)["associated files"] == path.stat().st_size - size


def test_other_content_behind_the_model_is_padding(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    before = _read(path)["padding"]
    path.write_bytes(path.read_bytes() + b"PK\3\4 is not a zip")
    assert _read(path)["padding"] == before + len(b"PK\3\4 is not a zip")


@pytest.mark.tensorflow
def test_roles_of_converted_files_add_up(converted):
    paths = sorted(converted.glob("*.tflite"))
    assert len(paths) > 7
    for path in paths:
        found = _read(path)
        stored = flatbuffer.read(path)
        # Each buffer begins at a multiple of 16, each name at one of 4; how
        # much that takes depends on the lengths of generated names.
        buffers = sum(size > 0 for _, size in stored.buffers)
        names = sum(len(graph.tensors) for graph in stored.subgraphs)
        assert found["padding"] < 16 * buffers + 4 * names, path
    int8 = _read(converted / "int8.tflite")
    # 26 channels have a scale and a zero point, in weights and biases.
    assert int8["quantization"] > 2 * 26 * (4 + 8)
    assert int8["weights"] == 3 * 3 * 3 * 8 + 3 * 3 * 8 + 4 * 4 * 8 * 10


@pytest.mark.tensorflow
def test_weights_outside_of_the_flatbuffer_count(converted):
    inside = _read(converted / "float32.tflite")
    outside = _read(converted / "outside.tflite")
    assert outside["weights"] == inside["weights"]
    assert outside["biases"] == inside["biases"]
