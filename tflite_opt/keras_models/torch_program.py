# SPDX-License-Identifier: Apache-2.0
"""PyTorch programs become a float `.tflite` through litert-torch, an extra.

From there on they are a `.tflite` like any other: techniques that train a
Keras model are not for them.
"""

import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from tflite_opt.records import errors, model_spec

_INSTALL = (
    "Install the extra in the same environment: "
    "`pip install 'tflite_opt[torch]'`, or `pip install litert-torch`."
)


def is_module(value: Any) -> bool:
    """Whether a value is a PyTorch module, without importing PyTorch."""
    return any(
        (kind.__module__, kind.__name__)
        == ("torch.nn.modules.module", "Module")
        for kind in type(value).__mro__
    )


def to_tflite(spec: model_spec.ModelSpec, module: Any | None = None) -> bytes:
    """Converts a PyTorch program or module.

    Args:
        spec: A `.pt2` of `torch.export.save`, or a function; for a function
            that returned a module, `input_shapes` must name the arguments of
            its `forward`.
        module: What the function returned.

    Returns:
        A float `.tflite`; its inputs keep the order and layout of PyTorch.

    Raises:
        ModelError: If litert-torch is not installed or refuses the program.
    """
    try:
        import litert_torch
        import torch
    except ImportError as error:
        raise errors.ModelError(
            f"PyTorch programs need litert-torch. Received: {spec.name!r}. "
            f"{_INSTALL}"
        ) from error
    if module is None:
        module, positional, named = _exported(torch, spec.artifact.path)
    else:
        positional, named = (), _samples(torch, spec)
    try:
        converted = litert_torch.convert(
            module, positional, sample_kwargs=named or None
        )
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.tflite"
            converted.export(str(path))
            return path.read_bytes()
    except Exception as error:  # torch.export raises many kinds.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise errors.ModelError(
            f"litert-torch cannot convert {spec.name!r}: "
            f"{type(error).__name__}: {lines[0]}"
        ) from error


def _exported(
    torch: Any, path: pathlib.Path
) -> tuple[Any, Sequence[Any], Mapping[str, Any]]:
    try:
        program = torch.export.load(str(path))
    except Exception as error:  # A damaged archive may raise anything.
        raise errors.ModelError(
            f"Cannot load the PyTorch program {str(path)!r}: {error}. Save it "
            "with `torch.export.save`."
        ) from error
    positional, named = program.example_inputs
    return program.module(), positional, named


def _samples(torch: Any, spec: model_spec.ModelSpec) -> dict[str, Any]:
    if not spec.input_shapes:
        raise errors.ModelError(
            "A PyTorch module must be told its input shapes. Received: "
            f"{spec.name!r} without any. Add --input_shape=NAME:1,3,224,224 "
            "for each argument of its `forward`."
        )
    return {
        name: torch.zeros(shape) for name, shape in spec.input_shapes.items()
    }
