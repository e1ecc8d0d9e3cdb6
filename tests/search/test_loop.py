# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests.search import recorded
from tflite_opt.records import search
from tflite_opt.search import loop, prediction, store


class Recorded:
    """Gives recorded outcomes, in any order, and may be interrupted."""

    def __init__(self, *, is_reversed=False, interrupted_after=1000):
        self.is_reversed = is_reversed
        self.left = interrupted_after
        self.made = []

    def make(self, jobs):
        outcomes = [x for job in jobs for x in recorded.make(job)]
        if self.is_reversed:
            outcomes.reverse()
        for outcome in outcomes:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            self.made.append(outcome.name)
            yield outcome


def measure_nothing(outcomes, session):
    raise AssertionError(session)


def carry_out(folder, executor, **changes):
    return loop.carry_out(
        recorded.plan(folder, **changes),
        store.Store(folder, folder),
        executor,
        measure_nothing,
    )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    return carry_out(folder, Recorded())


def test_all_trials_are_different(uninterrupted):
    names = [proposal.name for proposal, _ in uninterrupted]
    assert len(set(names)) == 18
    assert [proposal.number for proposal, _ in uninterrupted] == list(range(18))


def test_presets_come_first_and_others_later(uninterrupted, tmp_path):
    presets = {x.name for x in recorded.plan(tmp_path).space.presets(0)}
    are_presets = [x.name in presets for x, _ in uninterrupted]
    assert all(are_presets[:8])
    assert not all(are_presets[8:])


def test_an_interrupted_search_goes_on_with_the_same_trials(
    tmp_path, uninterrupted
):
    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path, Recorded(interrupted_after=7))
    executor = Recorded()
    assert carry_out(tmp_path, executor) == uninterrupted
    measured = sum(x.status != "stopped" for _, x in uninterrupted)
    assert len(executor.made) == measured - 7


def test_the_order_of_completion_changes_no_trial(tmp_path, uninterrupted):
    found = carry_out(tmp_path, Recorded(is_reversed=True))
    assert found == uninterrupted


def test_more_trials_begin_with_those_of_a_shorter_search(
    tmp_path, uninterrupted
):
    carry_out(tmp_path, Recorded(), num_trials=10)
    assert carry_out(tmp_path, Recorded()) == uninterrupted


def test_another_seed_gives_other_trials(tmp_path, uninterrupted):
    found = carry_out(tmp_path, Recorded(), seed=4, num_trials=4)
    assert found != uninterrupted[:4]


def test_outcomes_decide_what_is_proposed_next(
    tmp_path, uninterrupted, monkeypatch
):
    plain = recorded.outcome
    monkeypatch.setattr(
        recorded,
        "outcome",
        lambda recipe: dataclasses.replace(plain(recipe), drop=0.5),
    )
    found = carry_out(tmp_path, Recorded())
    names = [proposal.name for proposal, _ in found]
    expected = [proposal.name for proposal, _ in uninterrupted]
    assert names[:8] == expected[:8]
    assert names[8:] != expected[8:]


def test_a_beginning_that_is_impossible_is_not_proposed_again(
    tmp_path, monkeypatch
):
    plain = recorded.outcome
    failed = []

    def outcome(recipe):
        steps = [x["technique"] for x in recipe["compress"]]
        if "distillation" not in steps:
            return plain(recipe)
        failed.append(recipe["compress"][0])
        # Whatever comes first, another technique is to blame for one of them.
        reason = f"{'rounding' if len(failed) == 1 else steps[0]}: Too narrow."
        return search.Outcome(
            name=recipe["name"], status="failed", reason=reason
        )

    monkeypatch.setattr(recorded, "outcome", outcome)
    found = carry_out(tmp_path, Recorded(), num_trials=40, batch_size=1)
    assert len(found) == 40
    beginnings = {str(x) for x in failed[1:]}
    assert len(beginnings) == len(failed[1:]) > 1


def test_a_small_space_ends_the_search(tmp_path):
    plan = recorded.plan(tmp_path)
    conversions = dict(list(plan.space.conversions.items())[:3])
    space = dataclasses.replace(plan.space, conversions=conversions, choices=())
    found = carry_out(tmp_path, Recorded(), space=space, limits=recorded.LIMITS)
    # float32 is what all others are judged against.
    assert {proposal.name for proposal, _ in found} == set(conversions) - {
        "float32"
    }


def test_what_awaits_its_latency_is_measured_with_its_batch(
    tmp_path, monkeypatch
):
    plain = recorded.outcome
    monkeypatch.setattr(
        recorded,
        "outcome",
        lambda recipe: dataclasses.replace(plain(recipe), latency_ms=None),
    )
    sessions = {}

    def measure(outcomes, session):
        sessions[session] = [x.name for x in outcomes]
        return [dataclasses.replace(x, latency_ms=1.0) for x in outcomes]

    found = loop.carry_out(
        recorded.plan(tmp_path, num_trials=8),
        store.Store(tmp_path, tmp_path),
        Recorded(),
        measure,
    )
    assert list(sessions) == ["0", "4"]
    assert all(not x.awaits_latency for _, x in found)


def test_recipes_that_begin_alike_share_a_job(tmp_path):
    jobs = []

    class Kept(Recorded):
        def make(self, given):
            jobs.extend(given)
            return super().make(given)

    carry_out(tmp_path, Kept(), num_trials=8, batch_size=8)
    beginnings = [
        {str(recipe["compress"][:1]) for recipe in job.recipes} for job in jobs
    ]
    assert all(len(x) == 1 for x in beginnings)
    assert len(set.union(*beginnings)) == len(jobs) < 8
    assert len({x.work for x in jobs}) == len(jobs)


def test_what_cannot_be_small_enough_is_not_made(tmp_path):
    limits = search.Limits(max_accuracy_drop=0.02, max_bytes=30_000)
    plan = recorded.plan(tmp_path)
    by_name = {
        name: plan.space.propose(
            0, lambda asked, labels, n=name: n if n in labels else labels[0]
        )
        for name in ("float16", "int8")
    }
    stopped = prediction.stopped(by_name["float16"], plan.baseline, limits)
    assert stopped.status == "stopped"
    assert stopped.reason == "Not made: its weights alone take 48,000 bytes."
    assert stopped.excess == {"max_bytes": pytest.approx(0.6)}
    assert not prediction.stopped(by_name["int8"], plan.baseline, limits)


def test_what_cannot_be_fast_enough_is_not_made(tmp_path):
    limits = search.Limits(max_accuracy_drop=0.02, max_latency_ms=0.2)
    plan = recorded.plan(tmp_path)
    proposal = plan.space.propose(0, lambda name, labels: labels[0])
    stopped = prediction.stopped(proposal, plan.baseline, limits)
    assert stopped.reason == "Not made: its MACs take at least 0.25 ms."
