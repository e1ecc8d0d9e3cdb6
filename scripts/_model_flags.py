# SPDX-License-Identifier: Apache-2.0
"""The flags that name a model and say how to open it."""

from absl import flags

from tflite_opt.keras_models import source

from . import _reference_flags, _shape_flags

_MODEL = flags.DEFINE_string(
    "model",
    None,
    "A Keras 2 or 3 model (.h5, .keras), a SavedModel directory, a float "
    ".tflite, a PyTorch program (.pt2), package.module:function that returns "
    "a model, or the name of a reference model, which is trained first. "
    "Default: the trained sample model.",
)
_WEIGHTS = flags.DEFINE_string(
    "weights", None, "A .weights.h5 for the model that a function returns."
)
_CUSTOM_OBJECTS = flags.DEFINE_list(
    "custom_objects",
    [],
    "Layers and functions that Keras does not know: package.module:NAME each, "
    "called NAME in the file.",
)
_SIGNATURE = flags.DEFINE_string(
    "signature", None, "Which signature of a SavedModel to take."
)


def choice() -> source.Choice:
    """Returns what the flags say about the model."""
    return source.Choice(
        model=_MODEL.value,
        weights=_WEIGHTS.value,
        custom_objects=tuple(_CUSTOM_OBJECTS.value),
        signature=_SIGNATURE.value,
        input_shapes=_shape_flags.input_shapes(),
        model_options=_reference_flags.model_options(),
    )
