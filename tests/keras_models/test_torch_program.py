# SPDX-License-Identifier: Apache-2.0
import importlib.util

import numpy as np
import pytest

from tflite_opt.keras_models import torch_program
from tflite_opt.records import artifact, errors, model_spec
from tflite_opt.tflite import interpreter

_IS_INSTALLED = importlib.util.find_spec("litert_torch") is not None


def _spec(tmp_path, format="pytorch", **fields):
    path = tmp_path / "model.pt2"
    if not path.exists():
        path.write_bytes(b"nothing of the kind")
    return model_spec.ModelSpec(
        artifact=artifact.describe(path, format=format), **fields
    )


def test_nothing_else_is_taken_for_a_module():
    assert not torch_program.is_module(None)
    assert not torch_program.is_module(np.zeros(3))


@pytest.mark.skipif(_IS_INSTALLED, reason="litert-torch is installed")
def test_without_the_extra_it_is_one_line(tmp_path):
    with pytest.raises(
        errors.ModelError, match="pip install 'tflite_opt\\[torch\\]'"
    ):
        torch_program.open_program(_spec(tmp_path))


@pytest.mark.skipif(not _IS_INSTALLED, reason="litert-torch is an extra")
@pytest.mark.parametrize("way", ["program", "module"])
def test_a_program_computes_the_same_as_a_file(tmp_path, way):
    import torch

    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten()
    ).eval()
    assert torch_program.is_module(module)
    example = torch.zeros(1, 3, 8, 8)
    if way == "program":
        exported = torch.export.export(module, (example,))
        torch.export.save(exported, str(tmp_path / "model.pt2"))
        program = torch_program.open_program(_spec(tmp_path))
    else:
        spec = _spec(
            tmp_path,
            format="function",
            function="module:make",
            input_shapes={"input": (1, 3, 8, 8)},
        )
        program = torch_program.open_program(spec, module)
    path = tmp_path / "model.tflite"
    path.write_bytes(program.to_tflite())
    loaded = interpreter.load(path)
    (spec,) = loaded.inputs
    x = np.random.default_rng(0).random((3, 3, 8, 8), np.float32)
    names = [output.name for output in loaded.outputs]
    expected = program.predict({spec.name: x}, names)
    found = interpreter.predict(path, {spec.name: x})
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, atol=1e-5)


@pytest.mark.skipif(not _IS_INSTALLED, reason="litert-torch is an extra")
def test_a_damaged_program_is_one_line(tmp_path):
    with pytest.raises(errors.ModelError, match="Cannot load the PyTorch"):
        torch_program.open_program(_spec(tmp_path))
