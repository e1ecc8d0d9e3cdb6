# SPDX-License-Identifier: Apache-2.0
"""Builds untrained models that can take the place of a trained one."""

import functools
from collections.abc import Mapping
from typing import Any

from tflite_opt import user_code
from tflite_opt.keras_models import reference
from tflite_opt.keras_models.support import base
from tflite_opt.records import errors

_WIDTHS = ("filters", "units")
# Kernels compute that many channels at a time.
_MULTIPLE = 8


def narrowed(model: Any, width_multiplier: float) -> Any:
    """Returns the architecture of a model, narrower, with new weights.

    Args:
        model: A built functional or Sequential `tf_keras` model; not modified.
        width_multiplier: In (0, 1]: the part of the filters and units of each
            layer that is kept, rounded to a multiple of 8 where it is above 8.
            Layers that decide the shape of the output stay as wide.

    Raises:
        ModelError: If the layers no longer fit together.
    """
    import tf_keras as keras

    kept = _output_layers(model)

    def make(layer: Any) -> Any:
        if base.is_nested(layer):
            return keras.models.clone_model(layer, clone_function=make)
        config = layer.get_config()
        if layer.name not in kept:
            for key in set(_WIDTHS) & set(config):
                config[key] = _narrower(config[key], width_multiplier)
        return type(layer).from_config(config)

    try:
        return keras.models.clone_model(model, clone_function=make)
    except ValueError as error:
        raise errors.ModelError(
            "`width_multiplier` needs layers that fit together at any width. "
            f"Received: width_multiplier={width_multiplier} for "
            f"{model.name!r}: {base.first_line(error)} Name a `student`."
        ) from error


def build(teacher: Any, student: str, options: Mapping[str, float]) -> Any:
    """Returns an untrained model with the inputs and outputs of another.

    Args:
        teacher: A built functional or Sequential `tf_keras` model.
        student: A reference model, or `package.module:function`.
        options: Keyword arguments of what builds it.

    Raises:
        ModelError: If there is no such student, or it has other inputs.
        UserCodeError: If the function raises.
    """
    shapes = dict(zip(teacher.input_names, _input_shapes(teacher), strict=True))
    if user_code.is_reference(student):
        make = functools.partial(user_code.function(student), **options)
        made = user_code.guard(student, make)
    else:
        made = reference.build(
            student,
            shapes,
            teacher.output_shape[-1],
            _vocabulary_size(teacher),
            **options,
        )
    return _with_inputs_of(teacher, made, student)


def _output_layers(model: Any) -> set[str]:
    """Returns the layers whose width is that of an output."""
    found, waiting = set(), [x.node.layer for x in model.outputs]
    while waiting:
        layer = waiting.pop()
        if layer.name in found:
            continue
        found.add(layer.name)
        if not set(_WIDTHS) & set(layer.get_config()):
            for node in layer.inbound_nodes:
                waiting += [x.node.layer for x in _tensors(node.input_tensors)]
    return found


def _tensors(nested: Any) -> list[Any]:
    import tensorflow as tf

    found: list[Any] = tf.nest.flatten(nested)
    return found


def _narrower(width: int, multiplier: float) -> int:
    wanted = width * multiplier
    if multiplier == 1 or wanted <= _MULTIPLE:
        return max(1, round(wanted))
    return min(width, _MULTIPLE * round(wanted / _MULTIPLE))


def _input_shapes(model: Any) -> list[tuple[int, ...]]:
    return [tuple(x.shape[1:]) for x in model.inputs]


def _vocabulary_size(teacher: Any) -> int | None:
    sizes = [getattr(layer, "input_dim", None) for layer in teacher.layers]
    return max((size for size in sizes if size), default=None)


def _with_inputs_of(teacher: Any, made: Any, student: str) -> Any:
    """Gives a student's inputs the names that the teacher's have."""
    import tf_keras as keras

    if not (isinstance(made, keras.Model) and base.has_graph(made)):
        raise errors.ModelError(
            "A student must be a functional or Sequential tf_keras model. "
            f"Received: {type(made).__name__} from {student!r}."
        )
    if _input_shapes(made) != _input_shapes(teacher):
        raise errors.ModelError(
            "A student must have the inputs of its teacher, with shapes "
            f"{_input_shapes(teacher)}. Received: {_input_shapes(made)} from "
            f"{student!r}."
        )
    inputs = [
        keras.Input(x.shape[1:], dtype=x.dtype, name=name)
        for name, x in zip(teacher.input_names, teacher.inputs, strict=True)
    ]
    return keras.models.clone_model(
        made, input_tensors=inputs if len(inputs) > 1 else inputs[0]
    )
