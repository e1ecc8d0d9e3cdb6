# SPDX-License-Identifier: Apache-2.0
"""Proposes the recipes of a batch from what earlier batches gave.

The first recipes are named presets, by chance: they are known to be good for
something, and simple. What many techniques together do says little about each.
Then a model of what single choices do takes turns with Optuna's TPE, which
learns from whole recipes.

Optuna's study lives for one batch only: it is filled with all earlier trials
in the order of their numbers, and each proposal gets a sampler of its own,
seeded by the search's seed and the trial's number. So proposals depend on
earlier outcomes alone, never on when they came or on whether the search was
interrupted.
"""

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tflite_opt.records import search
from tflite_opt.search import effects
from tflite_opt.search import limits as limits_lib
from tflite_opt.search import space as space_lib

# No model knows anything before.
_FIRST_TRIALS = 8
# How often a simple recipe leaves a technique out.
_LEFT_OUT = 2 / 3
# Each fourth one is TPE's.
_TURNS = 4
# TPE proposes its favourites again and again; then chance decides.
_ATTEMPTS, _RANDOM_ATTEMPTS = 20, 500
# That the effects of choices are compared for.
_NUM_CANDIDATES = 300
# What is a bit slower than float32 may be much smaller.
_SLOWEST = 1.25
# Where no loss is allowed, that of a file nobody can tell from another.
_LEAST_DROP = 0.001
_WORST_COSTS = (1.0, 1.0, 1.0)

Trial = tuple[search.Proposal, search.Outcome]


def propose(
    space: space_lib.Space,
    history: Sequence[Trial],
    numbers: Sequence[int],
    *,
    seed: int,
    limits: search.Limits,
    baseline: search.Outcome,
) -> list[search.Proposal]:
    """Returns the recipes of a batch.

    Args:
        space: What they are made of.
        history: All earlier trials, in order.
        numbers: Of the trials to propose.
        seed: Of the search.
        limits: Trials beyond them count as infeasible.
        baseline: What all others are judged against; not proposed.

    Returns:
        All different and new. Fewer than asked for if there are no more.
    """
    impossible = _impossible_beginnings(history)
    known = {baseline.name, *(proposal.name for proposal, _ in history)}

    def is_wanted(proposal: search.Proposal) -> bool:
        is_new = proposal.name not in known
        return is_new and proposal.beginning not in impossible

    proposer = _Proposer(space, history, limits, baseline)
    found: list[search.Proposal] = []
    for number in numbers:
        new = proposer.propose(number, seed, is_wanted)
        if new is None:
            break
        found.append(new)
        known.add(new.name)
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


class _Proposer:
    """Proposes recipes one by one, in several ways."""

    def __init__(
        self,
        space: space_lib.Space,
        history: Sequence[Trial],
        limits: search.Limits,
        baseline: search.Outcome,
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._study = optuna.create_study(
            directions=["minimize"] * len(_WORST_COSTS)
        )
        for proposal, outcome in history:
            self._study.add_trial(_told(space, proposal, outcome, limits))
        self._observations = [
            effects.Observation(
                parameters={space_lib.CONVERSION: baseline.name},
                drop=0.0,
                latency=1.0,
                size=limits_lib.size_of(baseline, limits),
            ),
            *_observations(history, limits),
        ]
        self._reference = _reference(baseline, limits)

    def propose(
        self,
        number: int,
        seed: int,
        is_wanted: Callable[[search.Proposal], bool],
    ) -> search.Proposal | None:
        """Returns a recipe that is wanted; None if there is no more."""
        own, chance = np.random.SeedSequence([seed, number]).spawn(2)
        random = np.random.default_rng(chance)
        if number < _FIRST_TRIALS:
            first = self._by_presets(number, random)
        elif (number + 1) % _TURNS:
            first = self._by_effects(number, random, is_wanted)
        else:
            first = self._by_tpe(number, int(own.generate_state(1)[0]))
        proposed = itertools.chain(first, self._by_chance(number, random))
        return next(filter(is_wanted, proposed), None)

    def _by_presets(
        self, number: int, random: np.random.Generator
    ) -> Iterator[search.Proposal]:
        presets = list(self._space.presets(number))
        for index in random.permutation(len(presets)):
            yield presets[index]

    def _by_chance(
        self, number: int, random: np.random.Generator
    ) -> Iterator[search.Proposal]:
        """Yields recipes with few techniques."""

        def choose(name: str, labels: Sequence[str]) -> str:
            if labels[0] == space_lib.NONE:
                if random.random() < _LEFT_OUT:
                    return space_lib.NONE
                labels = labels[1:]
            return labels[random.integers(len(labels))]

        for _ in range(_RANDOM_ATTEMPTS):
            yield self._space.propose(number, choose)

    def _by_tpe(self, number: int, seed: int) -> Iterator[search.Proposal]:
        import optuna

        self._study.sampler = _sampler(seed)
        for _ in range(_ATTEMPTS):
            trial = self._study.ask()
            # One that is wanted is left running: the next ones of the batch
            # keep away from it.
            yield self._space.propose(number, trial.suggest_categorical)
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)

    def _by_effects(
        self,
        number: int,
        random: np.random.Generator,
        is_wanted: Callable[[search.Proposal], bool],
    ) -> Iterator[search.Proposal]:
        """Yields the recipe that promises most."""
        drawn = itertools.islice(
            self._by_chance(number, random), _NUM_CANDIDATES
        )
        candidates = list({x.name: x for x in drawn if is_wanted(x)}.values())
        if candidates:
            yield candidates[
                effects.best(
                    [x.parameters for x in candidates],
                    self._observations,
                    self._reference,
                    random,
                )
            ]


def _observations(
    history: Sequence[Trial], limits: search.Limits
) -> Iterator[effects.Observation]:
    for proposal, outcome in history:
        if outcome.status == "measured":
            drop, latency, size = limits_lib.costs(outcome, limits)
            yield effects.Observation(
                parameters=proposal.parameters,
                drop=drop,
                latency=latency,
                size=size,
            )
        elif outcome.drop is not None:
            yield effects.Observation(
                parameters=proposal.parameters, drop=outcome.drop
            )


def _reference(
    baseline: search.Outcome, limits: search.Limits
) -> limits_lib.Costs:
    """Returns the limits, or what float32 costs where there are none."""
    slowest, largest = _SLOWEST, float(limits_lib.size_of(baseline, limits))
    if limits.max_latency_ms is not None and baseline.latency_ms:
        slowest = limits.max_latency_ms / baseline.latency_ms
    if limits.max_bytes is not None:
        largest = float(limits.max_bytes)
    return max(limits.max_accuracy_drop, _LEAST_DROP), slowest, largest


def _sampler(seed: int) -> Any:
    import optuna

    with warnings.catch_warnings():
        # Parameters that depend on others need groups, an experiment still.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(
            n_startup_trials=_FIRST_TRIALS,
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
