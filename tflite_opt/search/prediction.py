# SPDX-License-Identifier: Apache-2.0
"""What a recipe's artifact cannot do better, before it is made.

Bounds, not estimates: a recipe is dropped only where its weights alone are
more than the size asked for, or its multiply-accumulates more than the fastest
kernels do in the time asked for.
"""

from collections.abc import Mapping
from typing import Any

from tflite_opt.records import search
from tflite_opt.search import limits as limits_lib

# Of stored weights; what is not here may have as few as int4.
_BITS = {
    "float32": 32,
    "float16": 16,
    "full_integer": 8,
    "int16x8": 8,
    "weight_only_int8": 8,
    "dynamic_range": 8,
    "mixed_precision": 8,
}
_FEWEST_BITS = 4
# No conversion was seen to compute more than about ten times as many
# multiply-accumulates per second as float32.
_GREATEST_SPEED_UP = 16.0
# Numbers of channels are rounded.
_ROUNDING = 0.9


def stopped(
    proposal: search.Proposal,
    baseline: search.Baseline,
    limits: search.Limits,
) -> search.Outcome | None:
    """Returns the outcome of a recipe that cannot meet a limit, or None.

    Args:
        proposal: The recipe.
        baseline: What it starts from.
        limits: The limits.
    """
    left = _width_left(proposal.recipe)
    is_dense = not _zeros_are_left_out(proposal.recipe)
    bits = _BITS.get(proposal.recipe["convert"]["technique"], _FEWEST_BITS)
    size = baseline.parameters * left**2 * bits / 8
    latency = baseline.outcome.latency_ms or 0.0
    latency *= left**2 / _GREATEST_SPEED_UP
    found = limits_lib.excess(
        limits,
        latency_ms=latency,
        size=size if is_dense and not limits.counts_gzip else None,
    )
    if not found:
        return None
    known = {
        "max_bytes": f"its weights alone take {size:,.0f} bytes",
        "max_latency_ms": f"its MACs take at least {latency:.3g} ms",
    }
    return search.Outcome(
        name=proposal.name,
        status="stopped",
        reason=f"Not made: {' and '.join(known[name] for name in found)}.",
        excess=found,
    )


def _width_left(recipe: Mapping[str, Any]) -> float:
    """Returns a lower bound on the fraction of channels that are left."""
    left = 1.0
    for step in recipe["compress"]:
        own = step.get("width_multiplier", step.get("min_fraction", 1.0))
        left *= own * _ROUNDING if own < 1 else 1
    return left


def _zeros_are_left_out(recipe: Mapping[str, Any]) -> bool:
    return bool(recipe["convert"].get("sparse_encoding"))
