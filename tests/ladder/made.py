# SPDX-License-Identifier: Apache-2.0
"""Rungs without files behind them."""

from tests import factories
from tflite_opt.records import evaluation, ladder


def rung(
    name,
    *,
    outcome="taken",
    loss=None,
    low=0.0,
    high=0.0,
    same=None,
    num_examples=1000,
    **fields,
):
    """Returns a rung; with a loss it was evaluated."""
    values = {
        "name": name,
        "recipe": {},
        "outcome": outcome,
        "reason": f"{name} {outcome}.",
        "seconds": 1.0,
        "artifact": None if outcome == "failed" else factories.tflite(name),
    }
    if loss is not None:
        values["drop"] = factories.drop(
            loss, low=low, high=high, num_examples=num_examples
        )
    if same is not None:
        values["validation_agreement"] = evaluation.Agreement(
            num_examples=num_examples,
            same_predictions=same,
            max_absolute_difference=0.1,
            mean_absolute_difference=0.01,
        )
    return ladder.Rung(**values | fields)
