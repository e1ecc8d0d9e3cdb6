# SPDX-License-Identifier: Apache-2.0
"""Batch after batch: propose, make, measure, write down.

What is written down is not done again, so that an interrupted search goes on
with the very trials that it would have had.
"""

import dataclasses
import json
import logging
from collections.abc import Callable, Sequence

from tflite_opt.records import files, search
from tflite_opt.search import job as job_lib
from tflite_opt.search import prediction, proposing
from tflite_opt.search import space as space_lib
from tflite_opt.search import store as store_lib

_LOG = logging.getLogger(__name__)

# Gets outcomes that await their latency, and the name of their session;
# returns them with it, or as failed.
Measure = Callable[[Sequence[search.Outcome], str], list[search.Outcome]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a search does.

    Attributes:
        space: What recipes are made of.
        baseline: What they are judged against.
        limits: What is looked for.
        seed: Of the proposals.
        num_trials: How many.
        batch_size: Trials that are proposed without knowing of each other.
        job: Of any recipe; its recipes and place of work are replaced.
    """

    space: space_lib.Space
    baseline: search.Baseline
    limits: search.Limits
    seed: int
    num_trials: int
    batch_size: int
    job: job_lib.Job


def carry_out(
    plan: Plan,
    store: store_lib.Store,
    executor: job_lib.Executor,
    measure: Measure,
) -> list[proposing.Trial]:
    """Does what is missing of a search.

    Args:
        plan: What to do.
        store: Gets each proposal and outcome at once.
        executor: Makes artifacts.
        measure: Measures their latency.

    Returns:
        All trials in order; fewer than planned if there are no more recipes.

    Raises:
        ExecutionError: If hosts or processes were lost again and again.
    """
    history: list[proposing.Trial] = []
    for start in range(0, plan.num_trials, plan.batch_size):
        end = min(start + plan.batch_size, plan.num_trials)
        proposals = proposing.propose(
            plan.space,
            history,
            range(start, end),
            seed=plan.seed,
            limits=plan.limits,
            baseline=plan.baseline.outcome,
        )
        for proposal in proposals:
            store.keep(proposal)
        history += _batch(plan, proposals, store, executor, measure, str(start))
        if len(history) < end:
            _LOG.info("There are no more than %d recipes.", len(history))
            break
    return history


def _batch(
    plan: Plan,
    proposals: Sequence[search.Proposal],
    store: store_lib.Store,
    executor: job_lib.Executor,
    measure: Measure,
    session: str,
) -> list[proposing.Trial]:
    def keep(outcome: search.Outcome) -> None:
        outcome.save(store.outcome(outcome.name))
        if not outcome.awaits_latency:
            _LOG.info("%s", describe(outcome))

    missing = []
    for proposal in proposals:
        if store.find(proposal.name):
            continue
        stopped = prediction.stopped(proposal, plan.baseline, plan.limits)
        if stopped:
            keep(stopped)
        else:
            missing.append(proposal)
    for outcome in executor.make(_jobs(plan, missing, store)):
        keep(outcome)
    found = [_known(store, proposal) for proposal in proposals]
    waiting = [outcome for outcome in found if outcome.awaits_latency]
    if waiting:
        for outcome in measure(waiting, session):
            keep(outcome)
    return [(x, _known(store, x)) for x in proposals]


def _known(store: store_lib.Store, proposal: search.Proposal) -> search.Outcome:
    return search.Outcome.load(store.outcome(proposal.name))


def _jobs(
    plan: Plan,
    proposals: Sequence[search.Proposal],
    store: store_lib.Store,
) -> list[job_lib.Job]:
    """Puts recipes that begin with the same training into one job.

    Each then finds what the one before it trained, and no two processes write
    to one run directory.
    """
    by_beginning: dict[str, list[search.Proposal]] = {}
    for proposal in proposals:
        beginning = proposal.beginning
        key = files.sha256_of_text(json.dumps(beginning, sort_keys=True))
        name = beginning["technique"] if beginning else "untrained"
        by_beginning.setdefault(f"{name}-{key[:8]}", []).append(proposal)
    return [
        dataclasses.replace(
            plan.job,
            recipes=tuple(proposal.recipe for proposal in same),
            work=store.work / name,
        )
        for name, same in by_beginning.items()
    ]


def describe(outcome: search.Outcome) -> str:
    """Returns one line for people."""
    if outcome.status != "measured":
        return f"{outcome.name}: {outcome.status}. {outcome.reason}"
    return (
        f"{outcome.name}: loss {outcome.drop:+.4f}, "
        f"{outcome.times_faster or 0:.2f}x the speed of float32, "
        f"{outcome.size_bytes:,} bytes"
    )
