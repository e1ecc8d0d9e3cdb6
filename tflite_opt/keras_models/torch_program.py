# SPDX-License-Identifier: Apache-2.0
"""PyTorch programs become a float `.tflite` through litert-torch, an extra.

From there on they are a `.tflite` like any other: techniques that train a
Keras model are not for them.
"""

import dataclasses
import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Program:
    """A PyTorch module with an example of what it is called with.

    Attributes:
        name: What messages call it.
        module: Callable, in inference mode.
        positional: Example arguments of one inference.
        named: Example arguments by name.
    """

    name: str
    module: Any
    positional: tuple[Any, ...]
    named: Mapping[str, Any]

    def to_tflite(self) -> bytes:
        """Returns it as a float `.tflite`.

        Its inputs keep the order and layout of PyTorch; they are called as in
        PyTorch, or `args_0` and so on.

        Raises:
            ModelError: If litert-torch refuses it.
        """
        import litert_torch

        try:
            converted = litert_torch.convert(
                self.module,
                self.positional,
                sample_kwargs=dict(self.named) or None,
            )
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "model.tflite"
                converted.export(str(path))
                return path.read_bytes()
        except Exception as error:  # torch.export raises many kinds.
            raise errors.ModelError(
                f"litert-torch cannot convert {self.name!r}: "
                f"{type(error).__name__}: {_first_line(error)}"
            ) from error

    def predict(
        self, inputs: Mapping[str, np.ndarray], output_names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Runs PyTorch itself, example by example.

        Args:
            inputs: By the names of `to_tflite`, shape `(n, ...)`.
            output_names: Names for what it returns, in that order.

        Returns:
            By name, shape `(n, ...)`.
        """
        import torch

        parts: list[list[np.ndarray]] = []
        for index in range(len(next(iter(inputs.values())))):
            example = {
                name: torch.from_numpy(array[index : index + 1])
                for name, array in inputs.items()
            }
            positional = [
                example[f"args_{i}"] for i in range(len(self.positional))
            ]
            named = {name: example[name] for name in self.named}
            with torch.no_grad():
                found = self.module(*positional, **named)
            leaves, _ = torch.utils._pytree.tree_flatten(found)
            parts.append([leaf.numpy() for leaf in leaves])
        return {
            name: np.concatenate([part[position] for part in parts])
            for position, name in enumerate(output_names)
        }


def open_program(
    spec: model_spec.ModelSpec, module: Any | None = None
) -> Program:
    """Opens a PyTorch program, or takes a module.

    Args:
        spec: A `.pt2` of `torch.export.save`, or a function; for a function
            that returned a module, `input_shapes` must name the arguments of
            its `forward`.
        module: What the function returned.

    Raises:
        ModelError: If litert-torch is not installed, the file cannot be
            loaded, or shapes are missing.
    """
    try:
        import litert_torch  # noqa: F401
        import torch
    except ImportError as error:
        raise errors.ModelError(
            f"PyTorch programs need litert-torch. Received: {spec.name!r}. "
            f"{_INSTALL}"
        ) from error
    if module is not None:
        return Program(
            name=spec.name,
            module=module.eval(),
            positional=(),
            named=_samples(torch, spec),
        )
    try:
        program = torch.export.load(str(spec.artifact.path))
    except Exception as error:  # A damaged archive may raise anything.
        raise errors.ModelError(
            f"Cannot load the PyTorch program {spec.name!r}: "
            f"{_first_line(error)}. Save it with `torch.export.save`."
        ) from error
    positional, named = program.example_inputs
    return Program(
        name=spec.name,
        module=program.module(),
        positional=tuple(positional),
        named=named,
    )


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


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
