# SPDX-License-Identifier: Apache-2.0
import pathlib

import pytest

from tests.benchmark import models
from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import entry_point, flatbuffer


def _find(builder, tmp_path, **options):
    path = builder.save(tmp_path / "model.tflite")
    return entry_point.find(path, flatbuffer.read(path), **options)


def test_the_main_graph_is_run_by_default(tmp_path):
    found = _find(models.two_signatures(), tmp_path)
    assert found.subgraph == 0
    assert [spec.name for spec in found.inputs] == ["double_x"]
    assert not found.resized


def test_inputs_are_named_as_in_the_only_signature(tmp_path):
    builder = handmade.dense()
    builder.signature("serve", {"image": 0}, {"y": 3})
    assert _find(builder, tmp_path).inputs[0].name == "image"


def test_a_signature_runs_its_own_graph(tmp_path):
    found = _find(models.two_signatures(), tmp_path, signature="triple")
    assert found.subgraph == 1
    assert [spec.name for spec in found.inputs] == ["x"]
    assert found.output_tensors == (2,)


def test_shapes_are_for_inputs_of_the_chosen_graph(tmp_path):
    found = _find(
        models.two_signatures(),
        tmp_path,
        signature="triple",
        input_shapes={"triple_x": (3, 4)},
    )
    assert found.inputs[0].shape == (3, 4)
    assert found.resized
    with pytest.raises(errors.InputError, match="double_x"):
        _find(
            models.two_signatures(),
            tmp_path,
            signature="triple",
            input_shapes={"double_x": (3, 4)},
        )


def test_an_open_dimension_is_what_the_runtime_takes(tmp_path):
    assert _find(models.open_dense(), tmp_path).inputs[0].shape == (1, 4)


def test_an_unknown_signature_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(errors.InputError, match="'double', 'triple'"):
        _find(models.two_signatures(), tmp_path, signature="half")
    with pytest.raises(errors.InputError, match="it has none"):
        _find(handmade.dense(), pathlib.Path(tmp_path), signature="half")
