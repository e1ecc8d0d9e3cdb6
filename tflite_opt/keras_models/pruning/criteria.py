# SPDX-License-Identifier: Apache-2.0
"""How important each weight is."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import dataset
from tflite_opt.keras_models import training, training_batches
from tflite_opt.records import pruning

# More would make the score better, but each choice of zeros waits for it.
_TAYLOR_EXAMPLES = 512

# Returns the importance of all elements of some variables, of their shapes.
Score = Callable[[], Sequence[np.ndarray]]


def by_name(
    criterion: pruning.Criterion,
    variables: Sequence[Any],
    model: Any,
    train: dataset.Split,
    seed: int,
) -> Score:
    """Returns the score that a criterion gives.

    Args:
        criterion: Its name.
        variables: The weights.
        model: The `tf_keras` model that has them.
        train: Where the examples of `taylor` come from.
        seed: Of `random`.

    Raises:
        ModelError: If the loss of `taylor` is not known for such a model.
        DataError: If the data do not fit the model.
    """
    if criterion == "magnitude":
        return magnitude(variables)
    if criterion == "random":
        return random(variables, seed)
    import tf_keras as keras

    objective = training.objective_of(model, train)
    few = train.take(np.arange(min(len(train), _TAYLOR_EXAMPLES)), train.name)
    loss = (
        keras.losses.SparseCategoricalCrossentropy()
        if objective == "classification"
        else keras.losses.MeanSquaredError()
    )
    batches = training_batches.in_order(model, few, objective)
    return taylor(variables, model, batches, loss)


def magnitude(variables: Sequence[Any]) -> Score:
    """Returns a score by the absolute value of each weight."""
    return lambda: [np.abs(variable.numpy()) for variable in variables]


def random(variables: Sequence[Any], seed: int) -> Score:
    """Returns a score by chance: the control of every other criterion.

    Each call gives the same scores, so weights that went stay away.

    Args:
        variables: The weights.
        seed: Not negative.
    """

    def score() -> Sequence[np.ndarray]:
        generator = np.random.default_rng(seed)
        return [
            generator.random(tuple(variable.shape), np.float32)
            for variable in variables
        ]

    return score


def taylor(
    variables: Sequence[Any], model: Any, batches: Any, loss: Any
) -> Score:
    """Returns a score by what the loss would gain, to first order.

    The mean over batches of |gradient x weight|.

    Args:
        variables: The weights.
        model: The `tf_keras` model; run as in inference.
        batches: A `tf.data.Dataset` of inputs and targets; not empty.
        loss: From targets and outputs to one number.

    References:
        Molchanov et al., "Importance Estimation for Neural Network Pruning",
        2019. https://arxiv.org/abs/1906.10771
    """
    import tensorflow as tf

    @tf.function
    def products(inputs: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(targets, model(inputs, training=False))
        gradients = tape.gradient(
            value, variables, unconnected_gradients="zero"
        )
        return [
            tf.abs(tf.convert_to_tensor(gradient) * variable)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]

    def score() -> Sequence[np.ndarray]:
        found = [
            [array.numpy() for array in products(inputs, targets)]
            for inputs, targets in batches
        ]
        return [np.mean(arrays, axis=0) for arrays in zip(*found, strict=True)]

    return score
