# SPDX-License-Identifier: Apache-2.0
"""Proposes the recipes of a batch from what earlier batches gave.

Optuna's study lives for one batch only: it is filled with all earlier trials
in the order of their numbers, and each proposal gets a sampler of its own,
seeded by the search's seed and the trial's number. So proposals depend on
earlier outcomes alone, never on when they came or on whether the search was
interrupted.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tflite_opt.records import search
from tflite_opt.search import limits as limits_lib
from tflite_opt.search import space as space_lib

# What the first trials do is known to no model of theirs.
_RANDOM_TRIALS = 10
# The model proposes its favourites again and again; then chance decides.
_ATTEMPTS, _RANDOM_ATTEMPTS = 20, 500
_WORST_COSTS = (1.0, 1.0, 1.0)

Trial = tuple[search.Proposal, search.Outcome]


def propose(
    space: space_lib.Space,
    history: Sequence[Trial],
    numbers: Sequence[int],
    *,
    seed: int,
    limits: search.Limits,
    taken: frozenset[str] = frozenset(),
) -> list[search.Proposal]:
    """Returns the recipes of a batch.

    Args:
        space: What they are made of.
        history: All earlier trials, in order.
        numbers: Of the trials to propose.
        seed: Of the search.
        limits: Trials beyond them count as infeasible.
        taken: Recipes that are not to be proposed.

    Returns:
        All different and new. Fewer than asked for if there are no more.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["minimize"] * len(_WORST_COSTS))
    for proposal, outcome in history:
        study.add_trial(_told(space, proposal, outcome, limits))
    known = taken | {proposal.name for proposal, _ in history}
    impossible = _impossible_beginnings(history)
    found: list[search.Proposal] = []

    def is_wanted(proposal: search.Proposal) -> bool:
        is_new = proposal.name not in known | {x.name for x in found}
        return is_new and proposal.beginning not in impossible

    for number in numbers:
        new = _new_proposal(study, space, number, seed, is_wanted)
        if new is None:
            break
        found.append(new)
    return found


def _impossible_beginnings(
    history: Sequence[Trial],
) -> list[dict[str, Any] | None]:
    """Returns the beginnings of recipes that this model cannot go through.

    What comes first gets the same model in each recipe, so where it failed it
    fails again, as where a budget is out of its reach.
    """
    return [
        proposal.beginning
        for proposal, outcome in history
        if outcome.status == "failed"
        and proposal.beginning
        and outcome.reason.startswith(f"{proposal.beginning['technique']}: ")
    ]


def _new_proposal(
    study: Any,
    space: space_lib.Space,
    number: int,
    seed: int,
    is_wanted: Callable[[search.Proposal], bool],
) -> search.Proposal | None:
    import optuna

    seeds = np.random.SeedSequence([seed, number]).generate_state(2)
    model, chance = (int(x) for x in seeds)
    samplers = (
        (_sampler(model), _ATTEMPTS),
        (optuna.samplers.RandomSampler(seed=chance), _RANDOM_ATTEMPTS),
    )
    for sampler, attempts in samplers:
        study.sampler = sampler
        for _ in range(attempts):
            trial = study.ask()
            proposal = space.propose(number, trial.suggest_categorical)
            if is_wanted(proposal):
                # Left running: the next ones of the batch keep away from it.
                return proposal
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return None


def _sampler(seed: int) -> Any:
    import optuna

    with warnings.catch_warnings():
        # Parameters that depend on others need groups, an experiment still.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(
            n_startup_trials=_RANDOM_TRIALS,
            multivariate=True,
            group=True,
            constant_liar=True,
            seed=seed,
        )


def _told(
    space: space_lib.Space,
    proposal: search.Proposal,
    outcome: search.Outcome,
    limits: search.Limits,
) -> Any:
    import optuna

    excess = limits_lib.excess_of(outcome, limits)
    if outcome.status == "failed":
        excess = {"failed": 1.0}
    return optuna.trial.create_trial(
        # The sampler ranks what is beyond limits by that alone.
        values=(
            limits_lib.costs(outcome, limits)
            if outcome.status == "measured"
            else _WORST_COSTS
        ),
        params=dict(proposal.parameters),
        distributions={
            name: optuna.distributions.CategoricalDistribution(
                space.labels(name)
            )
            for name in proposal.parameters
        },
        constraints=excess,
    )
