# SPDX-License-Identifier: Apache-2.0
import contextlib
import dataclasses
import gzip
import io

import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import fields, handmade, slimmable
from tflite_opt.records import errors, files, tensor_names
from tflite_opt.tflite import flatbuffer, slimming, slimming_check

_CONVERTED = (
    "float32",
    "float16",
    "int8",
    "outside",
    "weight_only_int4",
    "weight_only_int8",
    "while",
    "custom",
    "lstm",
    "branches",
    "signatures",
    "sparse",
    "ds_cnn",
    "mobilenet_v2",
)


@pytest.fixture(scope="module")
def models(converted):
    """Returns a folder with all of `_CONVERTED`."""
    from models import ds_cnn, mobilenet_v2

    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        slimmable.write_branches(converted / "branches.tflite")
        slimmable.write_signatures(converted / "signatures.tflite")
        slimmable.write_sparse(converted / "sparse.tflite")
        slimmable.write_int8(
            lambda: ds_cnn.build((49, 10, 1), 12),
            (49, 10, 1),
            converted / "ds_cnn.tflite",
        )
        slimmable.write_int8(
            lambda: mobilenet_v2.build((96, 96, 3), 1000, 0.35),
            (96, 96, 3),
            converted / "mobilenet_v2.tflite",
        )
    return converted


def _require_alignment(model):
    for start, size in model.buffers:
        assert size == 0 or start % 16 == 0


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", _CONVERTED)
def test_loses_no_field(models, tmp_path, name):
    path = models / f"{name}.tflite"
    content = slimmable.slim_content(path)
    assert content[4:8] == b"TFL3"
    assert fields.of(content) == fields.of(path.read_bytes())
    _require_alignment(slimmable.read(content, tmp_path))


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", _CONVERTED)
def test_computes_the_same_and_stays_the_same(models, tmp_path, name):
    path = models / f"{name}.tflite"
    slim = tmp_path / "slim.tflite"
    written = slimming.slim_file(path, slim)
    if name == "custom":
        assert written.check.compared == ()
        assert "Betainc" in written.check.skipped[0]
    else:
        assert written.check.compared == ("XNNPACK", "builtin")
        assert written.check.skipped == ()
    again = slimming.slim(slim)
    assert again.unchanged_because == "it would not become smaller"
    assert again.content == slim.read_bytes()
    assert again.dropped_names == {}


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("name", "fraction"), [("ds_cnn", 0.30), ("mobilenet_v2", 0.06)]
)
def test_saves_what_it_promises(models, name, fraction):
    path = models / f"{name}.tflite"
    content = slimmable.slim_content(path)
    before = path.stat().st_size
    assert 1 - len(content) / before >= fraction
    assert len(_gzip(content)) < len(_gzip(path.read_bytes()))


def _gzip(content):
    return gzip.compress(content, 9, mtime=0)


@pytest.mark.tensorflow
def test_keeps_names_that_are_used_from_outside(models, tmp_path):
    for name in ("lstm", "signatures", "while", "int8"):
        path = models / f"{name}.tflite"
        before = flatbuffer.read(path)
        slimmed = slimming.slim(path)
        after = slimmable.read(slimmed.content, tmp_path)
        assert after.signatures == before.signatures
        for index, graph in enumerate(before.subgraphs):
            for position, tensor in enumerate(graph.tensors):
                key = index, position
                kept = after.subgraphs[index].tensors[position].name
                dropped = slimmed.dropped_names.get(key, "")
                assert kept + dropped == tensor.name
                assert not (kept and dropped)
        main = before.subgraphs[0]
        for position in (*main.inputs, *main.outputs):
            assert after.subgraphs[0].tensors[position].name
        assert slimmed.dropped_names


@pytest.mark.tensorflow
def test_the_models_are_what_they_stand_for(models):
    """Otherwise the other tests prove less than they say."""

    def read(name):
        return flatbuffer.read(models / f"{name}.tflite")

    def tensors(name):
        return [t for graph in read(name).subgraphs for t in graph.tensors]

    assert any(t.sparsity is not None for t in tensors("sparse"))
    assert any(t.is_variable for t in tensors("lstm"))
    assert any(t.dtype == "int4" for t in tensors("weight_only_int4"))
    assert len(read("branches").subgraphs) == 3
    assert len(read("signatures").signatures) == 2
    assert any(start > 4000 for start, size in read("outside").buffers if size)
    assert (models / "ds_cnn.tflite").stat().st_size < 250_000


@pytest.mark.tensorflow
def test_keeps_buffers_outside_and_in_their_places(models, tmp_path):
    content = slimmable.slim_content(models / "outside.tflite")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    outside = [buffer for buffer in model.buffers if buffer.offset > 1]
    assert outside
    for buffer in outside:
        assert buffer.offset % 16 == 0
        assert buffer.offset + buffer.size <= len(content)
        assert buffer.data is None
    _require_alignment(slimmable.read(content, tmp_path))


def _save(builder, tmp_path):
    return builder.save(tmp_path / "model.tflite")


def test_looks_up_the_same_words(tmp_path):
    path = _save(slimmable.words(), tmp_path)
    content = slimmable.slim_content(path)
    assert fields.of(content) == fields.of(path.read_bytes())
    written = slimming.slim_file(path, tmp_path / "slim.tflite")
    assert written.check.compared == ("XNNPACK", "builtin")


def test_names_go_beside_the_file(tmp_path):
    path = _save(handmade.dense(), tmp_path)
    target = tmp_path / "out" / "slim.tflite"
    written = slimming.slim_file(path, target)
    digest = files.sha256_of_file(target)
    assert written.names_path == target.parent / f"{digest}.names.json"
    record = tensor_names.TensorNames.load(written.names_path)
    assert record.parent_sha256 == files.sha256_of_file(path)
    names = {(0, 1): "weights", (0, 2): "bias"}
    assert tensor_names.names_for(target) == names
    copy = tmp_path / "copy.tflite"
    again = slimming.slim_file(target, copy)
    assert copy.read_bytes() == target.read_bytes()
    assert again.slimmed.unchanged_because
    assert tensor_names.names_for(copy) == names
    copied = tensor_names.TensorNames.load(again.names_path)
    assert copied == record


def test_a_file_that_keeps_its_names_has_none_beside_it(tmp_path):
    builder = handmade.dense(named=False)
    target = tmp_path / "out" / "slim.tflite"
    written = slimming.slim_file(_save(builder, tmp_path), target)
    assert written.names_path is None
    assert [path.name for path in target.parent.iterdir()] == ["slim.tflite"]


def test_nothing_is_written_when_verification_fails(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise errors.VerificationError("Different.")

    monkeypatch.setattr(slimming_check, "verify_slimming", fail)
    path = _save(handmade.dense(), tmp_path)
    target = tmp_path / "out" / "slim.tflite"
    with pytest.raises(errors.VerificationError):
        slimming.slim_file(path, target)
    assert list(target.parent.iterdir()) == []


def test_the_result_says_what_was_saved(tmp_path):
    builder = handmade.dense()
    builder.metadata("CONVERSION_METADATA", b"x" * 40)
    slimmed = slimming.slim(_save(builder, tmp_path))
    saved = slimmed.saved_bytes
    # The length, the text and its final zero, padded.
    assert saved["tensor names"] == (4 + 8) + (4 + 8)
    assert saved["conversion metadata"] == (4 + 40) + (4 + 20)
    written = slimming.SlimmedFile(slimmed=slimmed, check=None, names_path=None)
    assert written.describe() == (
        f"Slimmed from {slimmed.original_bytes:,} to "
        f"{len(slimmed.content):,} bytes; not run."
    )
    unchanged = dataclasses.replace(slimmed, unchanged_because="it is odd")
    written = dataclasses.replace(written, slimmed=unchanged)
    assert written.describe() == "Not slimmed: it is odd."
