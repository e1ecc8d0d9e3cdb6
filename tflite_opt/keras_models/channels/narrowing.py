# SPDX-License-Identifier: Apache-2.0
"""Removes the channels that matter least until a budget is met."""

import dataclasses
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import dataset
from tflite_opt.keras_models import (
    freezing,
    kernels,
    training,
    training_batches,
)
from tflite_opt.keras_models.channels import budget as budget_lib
from tflite_opt.keras_models.channels import costs as costs_lib
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import masking, selection, surgery
from tflite_opt.keras_models.channels import scores as scores_lib
from tflite_opt.records import channel_budget, channels, errors

_LOG = logging.getLogger(__name__)

# On which the criterion `taylor` looks at the loss.
_NUM_EXAMPLES = 2048
# With which the narrow model is compared with the whole one.
_NUM_COMPARED = 8
_MAX_ATTEMPTS = 6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How channels are chosen.

    Attributes:
        criterion: What says how much a channel matters.
        ranking: Over all groups, or in each alone.
        min_fraction: Of the units of a group that stay at least.
        round_to: Widths are multiples of it.
        protected: Regular expressions; a group one of whose layers has a path
            that one of them matches stays whole.
        seed: Of the criterion `random`.
    """

    criterion: channels.Criterion
    ranking: channel_budget.Ranking
    min_fraction: float
    round_to: int
    protected: Sequence[str]
    seed: int


def find_groups(model: Any, protected: Sequence[str]) -> groups_lib.Groups:
    """Returns the groups of a model of which something can be removed.

    Args:
        model: A functional or Sequential `tf_keras` model.
        protected: Regular expressions of layers that stay whole.

    Raises:
        ModelError: If there is no group: says why, layer by layer.
        InputError: If an expression matches no layer of a group.
    """
    found = groups_lib.find(model)
    if not found.groups:
        listed = "; ".join(
            f"{kept.layer}: {kept.reason.rstrip('.')}" for kept in found.kept
        )
        raise errors.ModelError(
            "Channel pruning needs a layer whose channels can be followed to "
            f"those that take them in. Received: {model.name!r} with "
            f"{listed or 'no layer that makes channels'}."
        )
    layers = [layer for group in found.groups for layer in group.layers]
    known = list(dict.fromkeys(layers))
    idle = [
        pattern
        for pattern in protected
        if not any(kernels.first_match(layer, [pattern]) for layer in known)
    ]
    if idle:
        raise errors.InputError(
            "Each of `protected` must match a layer whose channels can be "
            f"removed. Received: {', '.join(map(repr, idle))}. "
            f"Such layers: {', '.join(known)}."
        )
    return found


def narrow(
    model: Any,
    costs: costs_lib.Costs,
    budget: channel_budget.Budget,
    settings: Settings,
    train: dataset.Split,
    *,
    confirm: bool,
) -> Any:
    """Returns a model that costs no more than a budget.

    Args:
        model: A functional or Sequential `tf_keras` model; not modified.
        costs: What the budget is about.
        budget: What may be left of the whole model.
        settings: How channels are chosen.
        train: Some of its examples are looked at.
        confirm: Whether a measured budget is met by the model itself, not
            only as predicted.

    Raises:
        InputError: If the budget cannot be reached.
        VerificationError: If it is not met, or the model does not compute
            what the whole one does with zeros for what was removed.
    """
    groups = find_groups(model, settings.protected)
    choices = _choices(model, groups, settings, train)
    predict = costs.of(model, groups, choices)
    few = list(freezing.first_examples(model, train, _NUM_COMPARED).values())

    def narrowed(correction: float) -> tuple[Any, float]:
        """Returns the model that is expected to fit, and what is expected."""
        widths = budget_lib.solve(
            choices, lambda x: correction * predict(x), costs.whole, budget
        )
        keep = choices.keep(widths)
        smaller = surgery.shrink(model, groups, keep)
        masking.verify(model, groups, keep, smaller, few)
        return smaller, predict(widths)

    if not confirm or costs.tolerance is None:
        return narrowed(1.0)[0]
    return _confirmed(narrowed, costs, costs.tolerance, budget)


def _confirmed(
    narrowed: Callable[[float], tuple[Any, float]],
    costs: costs_lib.Costs,
    tolerance: costs_lib.Tolerance,
    budget: channel_budget.Budget,
) -> Any:
    """Corrects predictions by what is measured, until the budget is met."""
    # Corrections that left too much, and too little.
    low, correction, high = 0.0, 1.0, math.inf
    tried: list[tuple[float, Any]] = []
    for _ in range(_MAX_ATTEMPTS):
        smaller, predicted = narrowed(correction)
        measured = costs.measure(smaller)
        left = measured / costs.whole
        _LOG.info("%s: %.1f%% of the whole model's", budget.kind, 100 * left)
        tried.append((left, smaller))
        ratio = left / budget.fraction
        if tolerance.low <= ratio <= tolerance.high:
            return smaller
        if ratio > 1:
            low = correction
        else:
            high = correction
        correction = measured / predicted
        if not low < correction < high:
            correction = _between(low, high)
    highest = tolerance.highest * budget.fraction
    met = [x for x in tried if x[0] <= highest]
    if not met:
        raise errors.VerificationError(
            f"`{budget.kind}` must be met by the file. Received: "
            f"{budget.kind}={budget.fraction}, and a file with "
            f"{min(x for x, _ in tried):.3f} after {_MAX_ATTEMPTS} attempts."
        )
    return max(met, key=lambda x: x[0])[1]


def _between(low: float, high: float) -> float:
    """Returns a correction that has not been tried."""
    if not low:
        return high / 2
    if math.isinf(high):
        return 2 * low
    return math.sqrt(low * high)


def _choices(
    model: Any,
    groups: groups_lib.Groups,
    settings: Settings,
    train: dataset.Split,
) -> selection.Choices:
    scores = _scores(model, groups, settings, train)
    return selection.Choices(
        scores,
        {
            group.name: costs_lib.channels_per_unit(group)
            for group in groups.groups
        },
        settings.ranking,
        selection.Limits(
            min_fraction=settings.min_fraction,
            round_to=settings.round_to,
            protected={
                group.name
                for group in groups.groups
                if any(
                    kernels.first_match(layer, settings.protected)
                    for layer in group.layers
                )
            },
        ),
    )


def _scores(
    model: Any,
    groups: groups_lib.Groups,
    settings: Settings,
    train: dataset.Split,
) -> dict[str, np.ndarray]:
    if settings.criterion != "taylor":
        return scores_lib.score(
            model, groups, settings.criterion, seed=settings.seed
        )
    import tf_keras as keras

    objective = training.objective_of(model, train)
    chosen = np.random.default_rng(settings.seed).permutation(len(train))
    few = train.take(np.sort(chosen[:_NUM_EXAMPLES]), train.name)
    loss = (
        keras.losses.sparse_categorical_crossentropy
        if objective == "classification"
        else keras.losses.mean_squared_error
    )
    batches = training_batches.in_order(model, few, objective)
    return scores_lib.score(model, groups, "taylor", batches, loss=loss)
