# SPDX-License-Identifier: Apache-2.0
"""Finds and builds the reference models, one file each in `models/`.

Knows no model by name: a file in that directory is a model.
"""

import importlib
import importlib.util
import inspect
import pathlib
from typing import Any

import tflite_opt
from tflite_opt.records import errors


def names() -> tuple[str, ...]:
    """Returns the reference models, sorted, without importing any."""
    _, directory = _package()
    return tuple(
        sorted(p.stem for p in directory.glob("*.py") if p.stem != "__init__")
    )


def check_name(name: str) -> None:
    """Refuses a name that is not one of `names()`, without importing any.

    Raises:
        ModelError: If it is not.
    """
    if name not in names():
        raise errors.ModelError(
            f"`model` must be one of {', '.join(names())}. "
            f"Received: model={name!r}"
        )


def build(
    name: str,
    input_shape: tuple[int, ...],
    num_classes: int,
    **options: Any,
) -> Any:
    """Returns an untrained reference model.

    Args:
        name: One of `names()`.
        input_shape: `(height, width, channels)` of one image.
        num_classes: Size of the softmax output, at least 2.
        **options: What else the model's own `build` takes, for instance
            `width_multiplier`.

    Returns:
        A `tf_keras` functional model with the input `image` that ends in a
        softmax.

    Raises:
        ModelError: If there is no such model, or it does not take these
            options, or cannot be built for this shape.
    """
    check_name(name)
    if len(input_shape) != 3 or min(input_shape) < 1 or num_classes < 2:
        raise errors.ModelError(
            "Reference models need images (height, width, channels) and at "
            f"least 2 classes. Received: input_shape={input_shape}, "
            f"num_classes={num_classes}. Grey images need a last axis of 1."
        )
    package, _ = _package()
    builder = importlib.import_module(f"{package}.{name}").build
    known = list(inspect.signature(builder).parameters)[2:]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise errors.ModelError(
            f"{name} takes the options {', '.join(known) or 'none'}. "
            f"Received: {', '.join(f'{k}={options[k]}' for k in unknown)}"
        )
    try:
        return builder(tuple(input_shape), num_classes, **options)
    except ValueError as error:
        raise errors.ModelError(
            f"Cannot build {name} for input_shape={input_shape}: {error}"
        ) from error


def sample_model_path() -> pathlib.Path:
    """Returns the trained sample model that comes with the project.

    Raises:
        ModelError: If it is not there.
    """
    _, directory = _package()
    path = directory / "sample_model.h5"
    if not path.is_file():
        raise errors.ModelError(
            f"The sample model {str(path)!r} is missing. Make it with "
            "`make sample-model`."
        )
    return path


def _package() -> tuple[str, pathlib.Path]:
    """Returns the name and directory of the package of models.

    An installed project has it inside `tflite_opt`; the repository has it
    beside, where it can be seen.
    """
    spec = importlib.util.find_spec("tflite_opt.models")
    if spec and spec.submodule_search_locations:
        location = next(iter(spec.submodule_search_locations))
        return "tflite_opt.models", pathlib.Path(location)
    root = pathlib.Path(str(tflite_opt.__file__)).resolve().parents[1]
    return "models", root / "models"
