# SPDX-License-Identifier: Apache-2.0
"""Finds and builds the reference models, one file each in `models/`.

Knows no model by name: a file in that directory is a model. It says what it is
for by two constants, which are read without importing it, and by what its
`build` takes:

- `INPUTS`, from input name to the names of an example's axes, or to None where
  any shape will do; axes of one name have one size;
- `DATASET`, the data set that it is trained on unless another is named;
- `build(input_shape, ...)`, or `build(input_shapes, ...)` if there are several
  inputs; a classifier takes `num_classes`, a model of token ids
  `vocabulary_size`.
"""

import ast
import importlib
import importlib.util
import inspect
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import tflite_opt
from tflite_opt.records import errors

_Shapes = Mapping[str, tuple[int, ...]]
_Axes = Mapping[str, tuple[str, ...] | None]


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


def default_dataset(name: str) -> str:
    """Returns the data set that a model is for, without importing it.

    Raises:
        ModelError: If there is no such model.
    """
    return str(_constant(name, "DATASET"))


def build(
    name: str,
    input_shapes: tuple[int, ...] | _Shapes,
    num_classes: int | None = None,
    vocabulary_size: int | None = None,
    **options: Any,
) -> Any:
    """Returns an untrained reference model.

    Args:
        name: One of `names()`.
        input_shapes: By input name, the shape of one example; or that of the
            only input. The name of an only input does not matter.
        num_classes: Size of a classifier's softmax output, at least 2; not
            looked at by a model that is no classifier.
        vocabulary_size: Token ids are below it; looked at by models of token
            ids only.
        **options: What else the model's own `build` takes, for instance
            `width_multiplier`.

    Returns:
        A `tf_keras` functional model. A classifier has one output, the
        probabilities; another one gives back its only input.

    Raises:
        ModelError: If there is no such model, the data are not what it is
            for, it does not take these options, or it cannot be built.
    """
    axes: _Axes = _constant(name, "INPUTS")
    shapes = (
        dict(input_shapes)
        if isinstance(input_shapes, Mapping)
        else {"input": tuple(input_shapes)}
    )
    package, _ = _package()
    builder = importlib.import_module(f"{package}.{name}").build
    facts = {"num_classes": num_classes, "vocabulary_size": vocabulary_size}
    _check_data(name, builder, axes, shapes, facts)
    shape, *known = inspect.signature(builder).parameters
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise errors.ModelError(
            f"{name} takes the options "
            f"{', '.join(x for x in known if x not in facts) or 'none'}. "
            f"Received: {', '.join(f'{k}={options[k]}' for k in unknown)}"
        )
    arguments: dict[str, Any] = {shape: shapes}
    if len(axes) == 1:
        (arguments[shape],) = shapes.values()
    arguments |= {key: x for key, x in facts.items() if key in known}
    try:
        return builder(**arguments, **options)
    except ValueError as error:
        raise errors.ModelError(
            f"Cannot build {name} for {_describe(shapes)}: {error}"
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


def _check_data(
    name: str,
    builder: Callable[..., Any],
    axes: _Axes,
    shapes: _Shapes,
    facts: Mapping[str, int | None],
) -> None:
    """Refuses data of which the model cannot be built."""
    wanted = inspect.signature(builder).parameters
    needs = {
        "num_classes": "at least 2 classes",
        "vocabulary_size": "integer token ids",
    }
    missing = [
        need
        for key, need in needs.items()
        if key in wanted and (facts[key] or 0) < 2
    ]
    if missing or not _fits(axes, shapes):
        received = [_describe(shapes)]
        received += [f"{key}={x}" for key, x in facts.items() if x]
        raise errors.ModelError(
            f"{name} needs {' and '.join([_describe(axes), *missing])}. "
            f"Received: {', '.join(received)}. "
            f"Its own data set is {default_dataset(name)}."
        )


def _fits(axes: _Axes, shapes: _Shapes) -> bool:
    if len(axes) == len(shapes) == 1:
        shapes = dict.fromkeys(axes, next(iter(shapes.values())))
    if set(axes) != set(shapes):
        return False
    sizes: dict[str, int] = {}
    for key, names_of_axes in axes.items():
        if min(shapes[key], default=0) < 1:
            return False
        if names_of_axes is None:
            continue
        if len(names_of_axes) != len(shapes[key]):
            return False
        for axis, size in zip(names_of_axes, shapes[key], strict=True):
            if sizes.setdefault(axis, size) != size:
                return False
    return True


def _describe(shapes: Mapping[str, tuple[Any, ...] | None]) -> str:
    return " and ".join(
        f"{key} ({', '.join(map(str, shape))})" if shape else f"any {key}"
        for key, shape in shapes.items()
    )


def _constant(model: str, name: str) -> Any:
    """Returns a constant of a model's module, which is not imported."""
    check_name(model)
    _, directory = _package()
    path = directory / f"{model}.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name
            for target in node.targets
        ):
            return ast.literal_eval(node.value)
    raise errors.ModelError(f"{str(path)!r} must say its {name}.")


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
