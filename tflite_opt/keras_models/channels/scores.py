# SPDX-License-Identifier: Apache-2.0
"""Says how much each unit of a group matters.

References:
    Li et al., "Pruning Filters for Efficient ConvNets", 2017.
    https://arxiv.org/abs/1608.08710
    Liu et al., "Learning Efficient Convolutional Networks through Network
    Slimming", 2017. https://arxiv.org/abs/1708.06519
    Molchanov et al., "Importance Estimation for Neural Network Pruning", 2019.
    https://arxiv.org/abs/1906.10771
    He et al., "Filter Pruning via Geometric Median", 2019.
    https://arxiv.org/abs/1811.00250
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import tracing
from tflite_opt.records import channels, errors


def score(
    model: Any,
    groups: groups_lib.Groups,
    criterion: channels.Criterion,
    batches: Iterable[tuple[Any, Any]] = (),
    *,
    loss: Callable[[Any, Any], Any] | None = None,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Returns the score of each unit; those of the lowest go first.

    Scores of groups are on one scale for a global ranking: each is divided by
    the root of the mean square of its group, but for `taylor`, which estimates
    one loss as it is. A group without batch normalization is ranked by `l2` if
    `batch_norm_scale` is asked for.

    Args:
        model: A functional or Sequential `tf_keras` model; not modified.
        groups: Of the model; see `groups.find`.
        criterion: What to look at.
        batches: Inputs and targets, as `loss` takes them; only `taylor` looks
            at them.
        loss: From targets and outputs to losses; only for `taylor`, which
            takes the squared derivative by a factor on all that a unit gives
            to its consumers.
        seed: Of `random`.

    Returns:
        By name of the group, shape `(size,)`, float64, not negative.
    """
    if criterion == "random":
        generator = np.random.default_rng(seed)
        return {g.name: generator.random(g.size) for g in groups.groups}
    if criterion == "taylor":
        return _taylor(model, groups, batches, loss)
    weights = _Weights(model)
    rule = {
        "l1": _l1,
        "l2": _l2,
        "batch_norm_scale": _batch_norm_scale,
        "geometric_median": _geometric_median,
    }[criterion]
    return {g.name: _normalized(rule(weights, g)) for g in groups.groups}


def _l1(model: "_Weights", group: groups_lib.Group) -> np.ndarray:
    return _by_unit(
        group, model, lambda rows: np.abs(rows).sum(axis=1, dtype=np.float64)
    )


def _l2(model: "_Weights", group: groups_lib.Group) -> np.ndarray:
    squares = _by_unit(
        group, model, lambda rows: np.square(rows).sum(axis=1, dtype=np.float64)
    )
    return np.sqrt(squares)


def _batch_norm_scale(model: "_Weights", group: groups_lib.Group) -> np.ndarray:
    places = [
        place
        for place in group.followers
        if place.weight == "gamma" and model.kind(place) == "BatchNormalization"
    ]
    if not places:
        return _l2(model, group)
    return _sums(
        group,
        [(place, np.abs(model.rows(place)).sum(axis=1)) for place in places],
    )


def _geometric_median(model: "_Weights", group: groups_lib.Group) -> np.ndarray:
    vectors = []
    for place in _kernels(group, model):
        rows = model.rows(place)[place.units >= 0]
        order = np.argsort(place.units[place.units >= 0], kind="stable")
        vectors.append(rows[order].reshape(group.size, -1))
    points = np.concatenate(vectors, axis=1).astype(np.float64)
    squares = np.square(points).sum(axis=1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    return np.sqrt(np.maximum(distances, 0)).sum(axis=1)


def _taylor(
    model: Any,
    groups: groups_lib.Groups,
    batches: Iterable[tuple[Any, Any]],
    loss: Callable[[Any, Any], Any] | None,
) -> dict[str, np.ndarray]:
    import tensorflow as tf

    if loss is None:
        raise errors.InputError(
            "The criterion `taylor` needs a `loss`. Received: loss=None"
        )
    weights = _Weights(model)
    variables = {
        (place.layer, place.weight): weights.variable(place)
        for group in groups.groups
        for place in group.consumers
    }

    @tf.function(reduce_retracing=True)
    def products(inputs: Any, targets: Any) -> list[Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for variable in variables.values():
                tape.watch(variable)
            outputs = model(inputs, training=False)
            mean = tf.reduce_mean(loss(targets, outputs))
        gradients = tape.gradient(
            mean,
            list(variables.values()),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return [
            variable * gradient
            for variable, gradient in zip(
                variables.values(), gradients, strict=True
            )
        ]

    found = {group.name: np.zeros(group.size) for group in groups.groups}
    for inputs, targets in batches:
        changes = dict(zip(variables, products(inputs, targets), strict=True))
        for group in groups.groups:
            sums = []
            for place in group.consumers:
                change = changes[place.layer, place.weight].numpy()
                rows = np.moveaxis(change, place.axis, 0)
                sums.append((place, rows.reshape(len(rows), -1).sum(axis=1)))
            found[group.name] += np.square(_sums(group, sums))
    return found


def _by_unit(
    group: groups_lib.Group,
    model: "_Weights",
    function: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    return _sums(
        group,
        [
            (place, function(model.rows(place)))
            for place in _kernels(group, model)
        ],
    )


def _kernels(
    group: groups_lib.Group, model: "_Weights"
) -> list[groups_lib.Place]:
    """Returns the weights of several axes that make a group's channels."""
    places = group.producers or group.followers
    return [p for p in places if len(model.variable(p).shape) > 1] or list(
        places
    )


def _sums(
    group: groups_lib.Group,
    values: Sequence[tuple[groups_lib.Place, np.ndarray]],
) -> np.ndarray:
    """Returns for each unit the sum of the values of its indices."""
    found = np.zeros(group.size)
    for place, of_index in values:
        own = place.units >= 0
        np.add.at(found, place.units[own], of_index[own])
    return found


def _normalized(values: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.square(values).mean())
    return values / size if size else values


class _Weights:
    """The weights of a model by path and name."""

    def __init__(self, model: Any) -> None:
        self._layers = dict(layer_support.walk(model))

    def kind(self, place: groups_lib.Place) -> str:
        return type(self._layers[place.layer]).__name__

    def variable(self, place: groups_lib.Place) -> Any:
        layer = self._layers[place.layer]
        return layer.weights[tracing.weight_names(layer).index(place.weight)]

    def rows(self, place: groups_lib.Place) -> np.ndarray:
        """Returns the weight, its axis first and the others flattened."""
        array = self.variable(place).numpy()
        return np.moveaxis(array, place.axis, 0).reshape(len(place.units), -1)
