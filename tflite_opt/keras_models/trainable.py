# SPDX-License-Identifier: Apache-2.0
"""Opens a user's model for techniques that train it."""

from collections.abc import Mapping
from typing import Any

from tflite_opt.data import representative
from tflite_opt.keras_models import freezing, opening, torch_program
from tflite_opt.records import errors, examples, model_spec

_WITHOUT_LAYERS = ("tflite", "pytorch")


def open_trainable(
    spec: model_spec.ModelSpec, inputs: Mapping[str, examples.Examples]
) -> Any:
    """Opens a model for techniques that train.

    Args:
        spec: Names it.
        inputs: Real examples by name, on which a rebuilt model is compared
            with the original.

    Returns:
        A functional or Sequential `tf_keras` model.

    Raises:
        ModelError: If it cannot be opened, or has no layers that can be
            trained.
        UserCodeError: If the user's function raises.
    """
    built = opening.build(spec) if spec.function else None
    if spec.artifact.format in _WITHOUT_LAYERS or torch_program.is_module(
        built
    ):
        raise errors.ModelError(
            "Techniques that train need a Keras model. "
            f"Received: {spec.name!r}, format={spec.artifact.format!r}. Give "
            "the Keras model it was made from."
        )
    opened = opening.open_model(spec, built).sized_for(inputs)
    if opened.converted is not opened.original:
        matched = representative.match_inputs(
            inputs, freezing.input_specs(opened.original)
        )
        few = {
            name: x[: opening.COMPARED_EXAMPLES] for name, x in matched.items()
        }
        outputs = freezing.predict(opened.original, few)
        opened = opened.confirmed(few, outputs)
    if opened.keras is None or not opened.facts.trainable:
        raise errors.ModelError(
            "Techniques that train need layers of Keras 2 that form a graph. "
            f"Received: {spec.name!r}: {opened.facts.untrainable_because}."
        )
    return opened.keras
