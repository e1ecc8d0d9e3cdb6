# SPDX-License-Identifier: Apache-2.0
"""Writes a Keras model to a file that appears whole or not at all."""

import pathlib
import shutil
import tempfile
import warnings
from typing import Any

from tflite_opt.keras_models import loading
from tflite_opt.records import errors, files


def save(model: Any, path: pathlib.Path) -> None:
    """Writes architecture and weights, without the optimizer's state.

    Args:
        model: A `tf_keras` model; not modified.
        path: Ends in `.h5` or `.keras`, which decides the format. Overwritten.

    Raises:
        ModelError: If the suffix is another.
        OutputError: If the file cannot be written.
    """
    check_suffix(path)
    import tf_keras as keras

    with tempfile.TemporaryDirectory() as scratch:
        # Keras chooses the format by the suffix, which a partial file has not.
        whole = pathlib.Path(scratch) / f"model{path.suffix}"
        with warnings.catch_warnings():
            # Keras calls HDF5 legacy; models of TF-MOT survive only in it.
            warnings.filterwarnings("ignore", message=".*HDF5.*")
            if path.suffix == ".h5":
                model.save(whole, include_optimizer=False)
            else:
                # This format always holds what the model was compiled with.
                clone = keras.models.clone_model(model)
                clone.set_weights(model.get_weights())
                clone.save(whole)
        with files.atomic_path(path) as partial:
            shutil.copyfile(whole, partial)


def check_suffix(path: pathlib.Path) -> None:
    """Refuses a path that Keras would not write a single model file to.

    Raises:
        ModelError: If the suffix is not one of `loading.SUFFIXES`.
    """
    if path.suffix not in loading.SUFFIXES:
        raise errors.ModelError(
            f"A Keras model's path must end in "
            f"{' or '.join(loading.SUFFIXES)}. Received: {str(path)!r}"
        )
