# SPDX-License-Identifier: Apache-2.0
"""Loads a Keras 2 model from a file, or says in one line why it cannot."""

import json
import pathlib
import zipfile
from typing import Any

from tflite_opt.records import errors

SUFFIXES = (".h5", ".keras")

_WAY_OUT = "Save the whole model with `model.save(...)` of tf_keras."


def load(path: pathlib.Path) -> Any:
    """Returns the model in a `.h5` or `.keras` file, not compiled.

    Custom objects must be in scope (`tf_keras.utils.custom_object_scope`).

    Args:
        path: A file that `tf_keras` saved, with architecture and weights.

    Returns:
        A `tf_keras` model.

    Raises:
        ModelError: If the file is missing, unreadable, truncated, no Keras
            model, or one of Keras 3.
    """
    path = path.expanduser()
    _check_file(path)
    version = _saved_with(path)
    if not version.startswith("2."):
        raise errors.ModelError(
            "The model must be saved with tf_keras, which is Keras 2. "
            f"Received: {str(path)!r} from Keras {version}. Build the same "
            "model with tf_keras, copy the weights with "
            "`set_weights(model.get_weights())` and save that."
        )
    import tf_keras as keras

    try:
        model = keras.models.load_model(path, compile=False)
    except (
        *(OSError, ValueError, TypeError, KeyError, AttributeError),
        *(IndexError, RuntimeError, EOFError, zipfile.BadZipFile),
    ) as error:
        raise errors.ModelError(
            f"Cannot load the Keras model {str(path)!r}: {_first_line(error)}. "
            "It may be damaged, or need custom objects."
        ) from error
    if not isinstance(model, keras.Model):
        raise errors.ModelError(
            f"{str(path)!r} holds a {type(model).__name__}, not a model. "
            f"{_WAY_OUT}"
        )
    return model


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
            f"{_first_line(error)}. {_WAY_OUT}"
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


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip("\"'").rstrip(".")
