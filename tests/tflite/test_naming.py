# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import flatbuffer, interpreter, naming, slimming


def _write(path, *, named=True, signed=True):
    builder = handmade.dense(named=named)
    if signed:
        builder.signature("serving_default", {"x": 0}, {"y": 3})
    return builder.save(path)


def _names(path):
    return [t.name for t in flatbuffer.read(path).subgraphs[0].tensors]


def test_a_file_that_has_all_names_is_returned_as_it_is(tmp_path):
    path = _write(tmp_path / "model.tflite")
    assert naming.named(path) == path.read_bytes()


def test_a_file_without_a_signature_gets_one(tmp_path):
    path = _write(tmp_path / "model.tflite", signed=False)
    assert not flatbuffer.read(path).signatures
    again = tmp_path / "named.tflite"
    again.write_bytes(naming.named(path))
    (signature,) = flatbuffer.read(again).signatures
    names = _names(path)
    graph = flatbuffer.read(path).subgraphs[0]
    assert signature.key == "serving_default"
    assert signature.inputs == tuple((names[i], i) for i in graph.inputs)
    assert signature.outputs == tuple((names[i], i) for i in graph.outputs)


def test_names_that_slimming_kept_come_back(tmp_path):
    path = _write(tmp_path / "model.tflite")
    slim = tmp_path / "slim.tflite"
    slimming.slim_file(path, slim)
    assert "" in _names(slim)
    again = tmp_path / "named.tflite"
    again.write_bytes(naming.named(slim))
    assert sorted(_names(again)) == sorted(_names(path))


def test_lost_names_are_made_up_and_nothing_else_changes(tmp_path):
    path = _write(tmp_path / "model.tflite")
    slim = tmp_path / "slim.tflite"
    slimming.slim_file(path, slim)
    for sidecar in tmp_path.glob("*.json"):
        sidecar.unlink()
    again = tmp_path / "named.tflite"
    again.write_bytes(naming.named(slim))
    names = _names(again)
    assert all(names)
    assert len(set(names)) == len(names)
    spec = interpreter.load(path).inputs[0]
    x = np.random.default_rng(0).random((3, *spec.shape[1:]), np.float32)
    expected = interpreter.predict(path, {spec.name: x})
    found = interpreter.predict(again, {spec.name: x})
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def test_a_file_without_any_name_gets_both(tmp_path):
    path = _write(tmp_path / "model.tflite", named=False, signed=False)
    again = tmp_path / "named.tflite"
    again.write_bytes(naming.named(path))
    (signature,) = flatbuffer.read(again).signatures
    assert signature.inputs == (("graph_0/tensor_0", 0),)
    assert signature.outputs == (("graph_0/tensor_3", 3),)


def test_what_is_no_model_is_one_error(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(errors.ModelError):
        naming.named(path)
