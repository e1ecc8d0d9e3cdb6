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

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import tracing
from tflite_opt.records import channels, errors

# By path.
_Layers = Mapping[str, Any]


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
    layers = dict(layer_support.walk(model))
    rule = {
        "l1": _l1,
        "l2": _l2,
        "batch_norm_scale": _batch_norm_scale,
        "geometric_median": _geometric_median,
    }[criterion]
    return {g.name: _normalized(rule(layers, g)) for g in groups.groups}


def _l1(layers: _Layers, group: groups_lib.Group) -> np.ndarray:
    return _by_unit(layers, group, np.abs)


def _l2(layers: _Layers, group: groups_lib.Group) -> np.ndarray:
    return np.sqrt(_by_unit(layers, group, np.square))


def _batch_norm_scale(layers: _Layers, group: groups_lib.Group) -> np.ndarray:
    places = [
        place
        for place in group.followers
        if place.weight == "gamma"
        and type(layers[place.layer]).__name__ == "BatchNormalization"
    ]
    if not places:
        return _l2(layers, group)
    return _sums(
        group,
        [(place, np.abs(_rows(layers, place)).sum(axis=1)) for place in places],
    )


def _geometric_median(layers: _Layers, group: groups_lib.Group) -> np.ndarray:
    vectors = []
    for place in _kernels(layers, group):
        rows = _rows(layers, place)[place.units >= 0]
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
    layers = dict(layer_support.walk(model))
    variables = {
        (place.layer, place.weight): _variable(layers, place)
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
    num_batches = 0
    for inputs, targets in batches:
        num_batches += 1
        changes = dict(zip(variables, products(inputs, targets), strict=True))
        for group in groups.groups:
            sums = []
            for place in group.consumers:
                change = changes[place.layer, place.weight].numpy()
                rows = np.moveaxis(change, place.axis, 0)
                sums.append((place, rows.reshape(len(rows), -1).sum(axis=1)))
            found[group.name] += np.square(_sums(group, sums))
    if not num_batches:
        raise errors.InputError(
            "The criterion `taylor` needs at least one batch. Received: none."
        )
    return {name: values / num_batches for name, values in found.items()}


def _by_unit(
    layers: _Layers,
    group: groups_lib.Group,
    function: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Returns for each unit the sum over the weights that make it."""
    return _sums(
        group,
        [
            (place, function(_rows(layers, place)).sum(1, dtype=np.float64))
            for place in _kernels(layers, group)
        ],
    )


def _kernels(
    layers: _Layers, group: groups_lib.Group
) -> list[groups_lib.Place]:
    """Returns the weights of several axes that make a group's channels."""
    return [
        place
        for place in group.producers or group.followers
        if len(_variable(layers, place).shape) > 1
    ]


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


def _variable(layers: _Layers, place: groups_lib.Place) -> Any:
    layer = layers[place.layer]
    return layer.weights[tracing.weight_names(layer).index(place.weight)]


def _rows(layers: _Layers, place: groups_lib.Place) -> np.ndarray:
    """Returns a weight, its axis first and the others flattened."""
    array = _variable(layers, place).numpy()
    return np.moveaxis(array, place.axis, 0).reshape(len(place.units), -1)
