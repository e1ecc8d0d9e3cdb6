# SPDX-License-Identifier: Apache-2.0
import json
import re
import zipfile

import numpy as np
import pytest

from tests.keras_models import tiny
from tflite_opt.keras_models import loading, saving
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_saved_model_comes_back_with_its_weights(tmp_path, suffix):
    model = tiny.classifier()
    path = tmp_path / f"model{suffix}"
    saving.save(model, path)
    loaded = loading.load(path)
    for saved, restored in zip(
        model.get_weights(), loaded.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(saved, restored)
    assert loaded.optimizer is None
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_the_optimizer_is_not_saved(tmp_path, suffix):
    model = tiny.classifier()
    saving.save(model, tmp_path / f"before{suffix}")
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 4, 4, 1)), np.zeros((2, 3)), verbose=0)
    saving.save(model, tmp_path / f"after{suffix}")
    before, after = (
        (tmp_path / f"{name}{suffix}").stat().st_size
        for name in ("before", "after")
    )
    assert abs(before - after) < 100
    assert model.optimizer is not None


def test_save_refuses_another_suffix(tmp_path):
    with pytest.raises(errors.ModelError, match="must end in .h5 or .keras"):
        saving.save(tiny.classifier(), tmp_path / "model.tflite")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.pb", b"x", "must be a .h5 or .keras file"),
        ("model.h5", None, "No model at"),
        ("model.h5", b"", "is an empty file"),
        ("model.h5", b"hello, world", "not a Keras model or is damaged"),
        ("model.keras", b"hello, world", "not a Keras model or is damaged"),
        ("model.h5", "directory", "Is a directory"),
    ],
    ids=["suffix", "missing", "empty", "text", "text.keras", "directory"],
)
def test_rejects(tmp_path, name, content, message):
    path = tmp_path / name
    if content == "directory":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.ModelError, match=re.escape(message)) as caught:
        loading.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_rejects_a_truncated_file(tmp_path, suffix, share):
    path = tmp_path / f"model{suffix}"
    saving.save(tiny.classifier(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(errors.ModelError) as caught:
        loading.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rejects_a_file_that_holds_weights_only(tmp_path):
    path = tmp_path / "model.h5"
    tiny.classifier().save_weights(path)
    with pytest.raises(errors.ModelError, match="holds no architecture"):
        loading.load(path)


def test_rejects_an_archive_that_is_no_model(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(errors.ModelError, match="config.json"):
        loading.load(path)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_the_loader_of_keras_2_refuses_a_keras_3_file(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    if suffix == ".keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
            archive.writestr(
                "metadata.json", json.dumps({"keras_version": "3.15.1"})
            )
    else:
        import h5py

        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = "{}"
            file.attrs["keras_version"] = "3.15.1"
    with pytest.raises(
        errors.ModelError, match=re.escape("from Keras 3.15.1.")
    ):
        loading.load(path)


def test_says_which_custom_object_is_missing(tmp_path):
    import tf_keras as keras

    class Doubled(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    x = keras.Input((3,))
    path = tmp_path / "model.h5"
    saving.save(keras.Model(x, Doubled()(x)), path)
    with pytest.raises(errors.ModelError, match="Doubled"):
        loading.load(path)
    with keras.utils.custom_object_scope({"Doubled": Doubled}):
        assert loading.load(path).count_params() == 0


def test_layers_that_only_keras_applications_has_are_known(tmp_path):
    import tf_keras as keras
    from tf_keras.src.applications import convnext

    x = keras.Input((4,))
    path = tmp_path / "model.h5"
    scaled = convnext.LayerScale(1e-6, 4, name="scale")(x)
    saving.save(keras.Model(x, scaled), path)
    assert loading.load(path).get_layer("scale").count_params() == 4
