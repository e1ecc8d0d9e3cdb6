# SPDX-License-Identifier: Apache-2.0
"""Weights and choices with which nothing is equal by accident."""

from typing import Any

import numpy as np

from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import masking


def randomize(model: Any, seed: int = 0) -> Any:
    """Gives a model weights like those of a trained one, all unlike.

    Returns:
        The model.
    """
    generator = np.random.default_rng(seed)
    for variable in model.variables:
        if not variable.dtype.is_floating:
            continue
        shape, name = tuple(variable.shape), variable.name
        if "variance" in name or "gamma" in name:
            values = generator.uniform(0.7, 1.3, shape)
        elif len(shape) > 1:
            fan_in = np.prod(shape[:-1])
            if "depthwise" in name:
                fan_in = np.prod(shape[:-2])
            values = generator.normal(0, np.sqrt(2 / fan_in), shape)
        else:
            values = generator.normal(0, 0.2, shape)
        variable.assign(values)
    for layer in model._flatten_layers(include_self=False):
        # `Normalization` computes with copies of its weights.
        layer.finalize_state()
    return model


def choose(
    groups: groups_lib.Groups, fraction: float = 0.5, seed: int = 0
) -> dict[str, np.ndarray]:
    """Returns a random choice of units of each group that stay."""
    generator = np.random.default_rng(seed)
    return {
        group.name: np.sort(
            generator.choice(
                group.size,
                max(1, round(fraction * group.size)),
                replace=False,
            )
        )
        for group in groups.groups
    }


def difference(model: Any, other: Any, seed: int = 0) -> float:
    """Returns how unlike the outputs of two models are for random inputs."""
    generator = np.random.default_rng(seed)
    inputs = [
        generator.normal(size=(2, *tensor.shape[1:])).astype(np.float32)
        if tensor.dtype.is_floating
        else generator.integers(0, 5, (2, *tensor.shape[1:]))
        for tensor in model.inputs
    ]
    return masking.difference(model, other, inputs)
