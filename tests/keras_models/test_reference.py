# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys

import pytest

from tflite_opt.data import sources
from tflite_opt.keras_models import reference
from tflite_opt.records import errors


def test_names_are_found_without_importing_tensorflow():
    program = (
        "import sys\n"
        "from tflite_opt.keras_models import (freezing, loading, reference,\n"
        "    saving, train_reference, training)\n"
        "print(*reference.names())\n"
        "reference.default_dataset('lstm')\n"
        "print(sorted({'tensorflow', 'tf_keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "autoencoder cnn_1d ds_cnn efficientnet_lite0 graph_network gru lstm "
        "mobilenet_v1 mobilenet_v2 mobilenet_v3_small resnet8 sample_cnn "
        "transformer_encoder",
        "[]",
    ]


@pytest.mark.parametrize("name", reference.names())
def test_every_model_has_a_data_set_of_its_own(name):
    assert reference.default_dataset(name) in sources.forms()


def test_finds_models_that_were_installed_inside_the_package(
    tmp_path, monkeypatch
):
    import tflite_opt

    # What an earlier test imported is found before any search.
    for name in [m for m in sys.modules if m.startswith("tflite_opt.models")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(tflite_opt, "models", raising=False)
    package = tmp_path / "models"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "mine.py").write_text(
        "INPUTS = {'image': ('height', 'width', 'channels')}\n"
        "DATASET = 'digits'\n"
        "def build(shape, num_classes, depth=1): return num_classes\n"
    )
    monkeypatch.setattr(tflite_opt, "__path__", [str(tmp_path)])
    assert reference.names() == ("mine",)
    assert reference.build("mine", (8, 8, 1), 10) == 10
    (package / "mute.py").write_text("def build(shape): return shape")
    with pytest.raises(errors.ModelError, match=r"mute\.py' must say its"):
        reference.build("mute", (8, 8, 1), 10)
    for name in ("tflite_opt.models.mine", "tflite_opt.models"):
        sys.modules.pop(name)
    del tflite_opt.models


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (
            ("alexnet", (8, 8, 1), 10),
            {},
            "transformer_encoder. Received: model='alexnet'",
        ),
        (
            ("sample_cnn", (8, 8), 10),
            {},
            "sample_cnn needs image (height, width, channels). Received: "
            "input (8, 8), num_classes=10. Its own data set is digits.",
        ),
        (
            ("sample_cnn", (8, 8, 1), 1),
            {},
            "sample_cnn needs image (height, width, channels) and at least 2 "
            "classes. Received: input (8, 8, 1), num_classes=1.",
        ),
        (
            ("lstm", {"image": (8, 8, 1)}, 10),
            {},
            "lstm needs sequence (steps, channels). Received: image (8, 8, 1), "
            "num_classes=10. Its own data set is sensor.",
        ),
        (
            ("transformer_encoder", {"spectrum": (64,)}, 2),
            {},
            "transformer_encoder needs tokens (length) and integer token ids. "
            "Received: spectrum (64), num_classes=2. Its own data set is "
            "tokens.",
        ),
        (
            ("graph_network", {"features": (16, 4)}, 2),
            {},
            "graph_network needs features (nodes, channels) and adjacency "
            "(nodes, nodes). Received: features (16, 4), num_classes=2.",
        ),
        (
            ("graph_network", {"features": (9, 4), "adjacency": (9, 8)}, 2),
            {},
            "Received: features (9, 4) and adjacency (9, 8), num_classes=2.",
        ),
        (
            ("autoencoder", {"features": (9, 4), "adjacency": (9, 9)}),
            {},
            "autoencoder needs any example. Received: features (9, 4) and "
            "adjacency (9, 9). Its own data set is vibration.",
        ),
    ],
    ids=[
        "name",
        "shape",
        "classes",
        "image for a sequence",
        "values for tokens",
        "one input of two",
        "sizes that differ",
        "two inputs for one",
    ],
)
@pytest.mark.tensorflow
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
