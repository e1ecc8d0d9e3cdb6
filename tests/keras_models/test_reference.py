# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys

import pytest

from tflite_opt.keras_models import reference
from tflite_opt.records import errors


def test_names_are_found_without_importing_tensorflow():
    program = (
        "import sys\n"
        "from tflite_opt.keras_models import (freezing, loading, reference,\n"
        "    saving, train_reference, training)\n"
        "print(*reference.names())\n"
        "print(sorted({'tensorflow', 'tf_keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "ds_cnn mobilenet_v1 mobilenet_v2 resnet8 sample_cnn",
        "[]",
    ]


def test_finds_models_that_were_installed_inside_the_package(
    tmp_path, monkeypatch
):
    import tflite_opt

    package = tmp_path / "models"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "mine.py").write_text("def build(shape, n, depth=1): return n")
    monkeypatch.setattr(tflite_opt, "__path__", [str(tmp_path)])
    assert reference.names() == ("mine",)
    assert reference.build("mine", (8, 8, 1), 10) == 10
    for name in ("tflite_opt.models.mine", "tflite_opt.models"):
        sys.modules.pop(name)
    monkeypatch.delattr(tflite_opt, "models")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (
            ("alexnet", (8, 8, 1), 10),
            {},
            "`model` must be one of ds_cnn, mobilenet_v1, mobilenet_v2, "
            "resnet8, sample_cnn. Received: model='alexnet'",
        ),
        (
            ("sample_cnn", (8, 8), 10),
            {},
            "Received: input_shape=(8, 8), num_classes=10",
        ),
        (
            ("sample_cnn", (8, 8, 1), 1),
            {},
            "Received: input_shape=(8, 8, 1), num_classes=1",
        ),
    ],
    ids=["name", "shape", "classes"],
)
def test_rejects(arguments, options, message):
    with pytest.raises(errors.ModelError, match=re.escape(message)):
        reference.build(*arguments, **options)


@pytest.mark.tensorflow
def test_rejects_an_option_that_the_model_does_not_have():
    with pytest.raises(
        errors.ModelError,
        match=re.escape(
            "sample_cnn takes the options filters. "
            "Received: width_multiplier=0.5"
        ),
    ):
        reference.build("sample_cnn", (8, 8, 1), 10, width_multiplier=0.5)
