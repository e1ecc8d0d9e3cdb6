# SPDX-License-Identifier: Apache-2.0
"""Loads Keras models from files, or says in one line why it cannot."""

import importlib
import json
import pathlib
import re
import zipfile
from collections.abc import Mapping
from typing import Any

from tflite_opt.keras_models.quantization import objects
from tflite_opt.records import errors

SUFFIXES = (".h5", ".keras")

# In the class names of all layers that round, TF-MOT's and ours.
_FAKE_QUANTIZATION = re.compile("Quantize(d|Layer|Wrapper)")
_WAY_OUT = "Save the whole model with `model.save(...)`."

# What Keras raises for damaged files and unknown objects.
_LOADING_ERRORS = (
    *(OSError, ValueError, TypeError, KeyError, AttributeError),
    *(IndexError, RuntimeError, EOFError, zipfile.BadZipFile),
)


def load(
    path: pathlib.Path, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Returns the Keras 2 model in a `.h5` or `.keras` file, not compiled.

    Args:
        path: A file that `tf_keras` saved, with architecture and weights.
        custom_objects: By the names that the file has for them.

    Returns:
        A `tf_keras` model.

    Raises:
        ModelError: If the file is missing, unreadable, truncated, no Keras
            model, or one of Keras 3.
    """
    path = path.expanduser()
    version = keras_version(path)
    if not version.startswith("2."):
        raise errors.ModelError(
            "The model must be saved with tf_keras, which is Keras 2. "
            f"Received: {str(path)!r} from Keras {version}."
        )
    import tf_keras as keras

    return _load(keras, path, custom_objects)


def load_keras3(
    path: pathlib.Path, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Returns the Keras 3 model in a `.h5` or `.keras` file, not compiled.

    Raises:
        ModelError: As `load`.
    """
    import keras as keras3

    return _load(keras3, path.expanduser(), custom_objects)


def load_saved_model(
    path: pathlib.Path, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Returns the Keras 2 model that a SavedModel holds.

    Returns:
        A `tf_keras` model; None if Keras did not write it, or its layers
        cannot be made again.
    """
    if not (path / "keras_metadata.pb").exists():
        return None
    import tf_keras as keras

    try:
        found = _load(keras, path, custom_objects)
    except errors.ModelError:
        # What it computes can still be taken from its signatures.
        return None
    return found if hasattr(found, "get_config") else None


def keras_version(path: pathlib.Path) -> str:
    """Returns the version of Keras that wrote a `.h5` or `.keras` file.

    Raises:
        ModelError: If it is missing, unreadable or no whole Keras model.
    """
    _check_file(path)
    return _saved_with(path)


def _load(
    library: Any, path: pathlib.Path, custom_objects: Mapping[str, Any] | None
) -> Any:
    try:
        model = library.models.load_model(
            path,
            compile=False,
            custom_objects=_unregistered(library)
            | _fake_quantization(path)
            | dict(custom_objects or {}),
        )
    except _LOADING_ERRORS as error:
        raise errors.ModelError(
            f"Cannot load the Keras model {str(path)!r}: {_reason(error)}. "
            "It may be damaged, or need custom objects: "
            "--custom_objects=package.module:NAME."
        ) from error
    if not isinstance(model, library.Model):
        raise errors.ModelError(
            f"{str(path)!r} holds a {type(model).__name__}, not a model. "
            f"{_WAY_OUT}"
        )
    return model


def _unregistered(library: Any) -> dict[str, Any]:
    """Returns layers that keras.applications uses and Keras does not know."""
    module = importlib.import_module(
        f"{library.__name__}.src.applications.convnext"
    )
    return {
        name: getattr(module, name)
        for name in ("LayerScale", "StochasticDepth")
        if hasattr(module, name)
    }


def _fake_quantization(path: pathlib.Path) -> dict[str, Any]:
    """Returns what a quantization-aware model refers to, if it is one."""
    if path.suffix != ".h5" or zipfile.is_zipfile(path):
        return {}
    import h5py

    with h5py.File(path, "r") as file:
        config = file.attrs["model_config"]
    text = config.decode() if isinstance(config, bytes) else str(config)
    if not _FAKE_QUANTIZATION.search(text):
        return {}
    return dict(objects.custom_objects())


def _check_file(path: pathlib.Path) -> None:
    if path.suffix not in SUFFIXES:
        raise errors.ModelError(
            f"A Keras model must be a {' or '.join(SUFFIXES)} file. "
            f"Received: {str(path)!r}. {_WAY_OUT}"
        )
    if not path.exists():
        raise errors.ModelError(f"No model at {str(path)!r}.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise errors.ModelError(
            f"Cannot read the model {str(path)!r}: {error.strerror}."
        ) from error
    if empty:
        raise errors.ModelError(f"The model {str(path)!r} is an empty file.")


def _saved_with(path: pathlib.Path) -> str:
    """Returns the version of Keras that wrote the file."""
    # tf_keras picks the reader by content, not by suffix, and so do we.
    is_archive = zipfile.is_zipfile(path)
    try:
        version = (_archive_version if is_archive else _h5_version)(path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise errors.ModelError(
            f"{str(path)!r} is not a Keras model or is damaged: "
            f"{_reason(error)}. {_WAY_OUT}"
        ) from error
    return version


def _archive_version(path: pathlib.Path) -> str:
    with zipfile.ZipFile(path) as archive:
        archive.getinfo("config.json")
        metadata = json.loads(archive.read("metadata.json"))
    return str(metadata["keras_version"])


def _h5_version(path: pathlib.Path) -> str:
    import h5py

    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            raise ValueError("it holds no architecture, at most weights")
        version = file.attrs["keras_version"]
    return version.decode() if isinstance(version, bytes) else str(version)


def _reason(error: Exception) -> str:
    """Returns one line; Keras 3 says which object is missing on another."""
    text = str(error).strip() or type(error).__name__
    missing = re.search(r"Could not locate [^.]*", text)
    line = missing.group() if missing else text.splitlines()[0]
    return line.strip().rstrip(".")
