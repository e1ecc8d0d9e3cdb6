# SPDX-License-Identifier: Apache-2.0
import json
import re

import pytest

from tflite_opt.records import errors, files, tensor_names

_NAMES = {(0, 3): "conv", (0, 10): "dense", (2, 1): "loop/body"}
_PARENT = "a" * 64


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"any content")
    return path


def test_what_is_saved_is_read_back(model):
    path = tensor_names.save(model, _PARENT, _NAMES)
    assert path == model.parent / f"{files.sha256_of_file(model)}.names.json"
    assert tensor_names.names_for(model) == _NAMES
    record = json.loads(path.read_text())
    assert record["parent_sha256"] == _PARENT
    assert record["subgraphs"] == [
        {"3": "conv", "10": "dense"},
        {},
        {"1": "loop/body"},
    ]


def test_names_follow_the_content_and_not_the_name(model):
    tensor_names.save(model, _PARENT, _NAMES)
    renamed = model.rename(model.parent / "other.tflite")
    assert tensor_names.names_for(renamed) == _NAMES
    renamed.write_bytes(b"other content")
    assert tensor_names.names_for(renamed) == {}


def test_a_copy_gets_a_copy_of_the_names(model, tmp_path):
    copy = tmp_path / "elsewhere" / "copy.tflite"
    copy.parent.mkdir()
    copy.write_bytes(model.read_bytes())
    assert tensor_names.copy(model, copy) is None
    tensor_names.save(model, _PARENT, _NAMES)
    path = tensor_names.copy(model, copy)
    assert path.parent == copy.parent
    assert tensor_names.names_for(copy) == _NAMES


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("sha256", "b" * 64, "Delete it."),
        ("sha256", "short", "sha256='short'"),
        ("subgraphs", [{"first": "conv"}], "keys=['first']"),
        ("subgraphs", [{"1": 2}], "TensorNames.subgraphs"),
    ],
    ids=["other-file", "no-hash", "no-index", "no-name"],
)
def test_damaged_names_are_an_error(model, field, value, part):
    path = tensor_names.save(model, _PARENT, _NAMES)
    record = json.loads(path.read_text()) | {field: value}
    path.write_text(json.dumps(record))
    with pytest.raises(errors.InputError, match=re.escape(part)):
        tensor_names.names_for(model)
