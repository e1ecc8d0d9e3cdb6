# SPDX-License-Identifier: Apache-2.0
"""A search as text, while it runs and when it is over."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import search

Trial = tuple[search.Proposal, search.Outcome | None]


def trials(found: Sequence[Trial], format: str = "simple") -> str:
    """Returns the table of all trials so far.

    Args:
        found: In order; None for an outcome that is awaited.
        format: A `tabulate` format.
    """
    headers = (
        "trial",
        "recipe",
        "loss",
        "x faster",
        "bytes",
        "gzip",
        "seconds",
        "state",
    )
    rows = [
        (proposal.number, proposal.name, *_cells(outcome))
        for proposal, outcome in found
    ]
    # Numbers are text already.
    return tabulate.tabulate(
        rows,
        headers=headers,
        tablefmt=format,
        colalign=("right", "left", *["right"] * 5, "left"),
        disable_numparse=True,
    )


def _cells(outcome: search.Outcome | None) -> tuple[str, ...]:
    if outcome is None:
        return (*[""] * 5, "running")
    state = "being measured" if outcome.awaits_latency else outcome.status
    if outcome.reason:
        state += f": {outcome.reason}"
    return (
        "" if outcome.drop is None else f"{outcome.drop:+.4f}",
        f"{outcome.times_faster:.2f}" if outcome.times_faster else "",
        f"{outcome.size_bytes:,}" if outcome.size_bytes else "",
        f"{outcome.gzip_bytes:,}" if outcome.gzip_bytes else "",
        f"{outcome.seconds:.1f}",
        state,
    )


def progress(found: Sequence[Trial]) -> str:
    """Returns one line on how far a search is."""
    counts = {"measured": 0, "stopped": 0, "failed": 0, "running": 0}
    for _, outcome in found:
        counts[outcome.status if outcome else "running"] += 1
    return f"{len(found)} trials: " + ", ".join(
        f"{count} {name}" for name, count in counts.items() if count
    )


def result(
    content: search.SearchResult,
    outcomes: Sequence[search.Outcome],
    limits: search.Limits,
) -> str:
    """Returns what a search ended with, and why the others lost.

    Args:
        content: What it ended with.
        outcomes: Of all trials, float32's first.
        limits: What was looked for.
    """
    lines = [f"Front of {content.num_trials} trials: "]
    lines[0] += ", ".join(content.front) or "nothing meets the limits."
    if content.nearest:
        near = next(x for x in outcomes if x.name == content.nearest)
        lines.append(f"Nearest: {near.name}, {_would_take(near, limits)}.")
    elif content.chosen is None:
        lines.append(
            "Measured again, none met the limits: they lie within the noise."
        )
    lines += ["", "Why the others lost:", ""]
    lines += [f"  {name}: {reason}" for name, reason in content.lost.items()]
    return "\n".join(lines)


def to_markdown(
    content: search.SearchResult,
    found: Sequence[Trial],
    outcomes: Sequence[search.Outcome],
    limits: search.Limits,
) -> str:
    """Returns the page of a search that is over: its end, then all trials."""
    text = result(content, outcomes, limits).replace("\n  ", "\n- ")
    return f"# Search\n\n{text}\n\n{trials(found, 'github')}\n"


def _would_take(outcome: search.Outcome, limits: search.Limits) -> str:
    size = outcome.gzip_bytes if limits.counts_gzip else outcome.size_bytes
    needed = (
        ("max_accuracy_drop", limits.max_accuracy_drop, outcome.drop),
        ("max_latency_ms", limits.max_latency_ms, outcome.latency_ms),
        ("max_bytes", limits.max_bytes, size),
    )
    return "which would take " + " and ".join(
        f"{name}={_round_up(found)} instead of {limit}"
        for name, limit, found in needed
        if limit is not None and found is not None and found > limit
    )


def _round_up(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value * 1.005:.3g}"
