# SPDX-License-Identifier: Apache-2.0
"""Finds the widths at which a model costs no more than it may."""

import math
from collections.abc import Callable

from tflite_opt.keras_models.channels import selection
from tflite_opt.records import channel_budget, errors

# From the width of each group to what the model costs, in any unit. Wider
# groups never cost less.
Cost = Callable[[selection.Widths], float]


def solve(
    choices: selection.Choices,
    cost: Cost,
    whole: float,
    budget: channel_budget.Budget,
) -> dict[str, int]:
    """Returns the widths that use up a budget.

    The best units stay, as many as the budget allows. What rounding leaves of
    it goes to the groups whose next units are the best.

    Args:
        choices: The groups.
        cost: What widths cost.
        whole: What the whole model costs.
        budget: The part of it that may be left.

    Raises:
        InputError: If even the narrowest model costs more.
    """
    limit = budget.fraction * whole
    _require_reachable(choices, cost, whole, budget)
    low, high = 0, len(choices)
    while low < high:
        middle = (low + high + 1) // 2
        if cost(choices.widths(middle)) <= limit:
            low = middle
        else:
            high = middle - 1
    widths = choices.widths(low)
    return _filled(choices, cost, limit, widths)


def _filled(
    choices: selection.Choices,
    cost: Cost,
    limit: float,
    widths: dict[str, int],
) -> dict[str, int]:
    """Returns widths to which no step can be added any more."""
    full: set[str] = set()
    while True:
        for _, name, width in choices.wider(widths):
            if name in full:
                continue
            wider = widths | {name: width}
            if cost(wider) <= limit:
                widths = wider
                break
            # It costs no less when others are wider.
            full.add(name)
        else:
            return widths


def _require_reachable(
    choices: selection.Choices,
    cost: Cost,
    whole: float,
    budget: channel_budget.Budget,
) -> None:
    floors = choices.floors
    least = cost(floors)
    if least <= budget.fraction * whole:
        return
    limiting = min(
        (name for name in floors if floors[name] > 1),
        key=lambda name: cost(floors | {name: 1}),
        default="",
    )
    # Rounded up, so that it can be asked for.
    smallest = math.ceil(1000 * least / whole) / 1000
    hint = (
        f" {limiting!r}, which keeps at least {floors[limiting]} of "
        f"{choices.sizes[limiting]}, limits it most. Lower `min_fraction` or "
        "`round_to`, or protect less."
        if limiting
        else ""
    )
    raise errors.InputError(
        f"`{budget.kind}` must be reachable: the smallest is {smallest:g}. "
        f"Received: {budget.kind}={budget.fraction:g}.{hint}"
    )
