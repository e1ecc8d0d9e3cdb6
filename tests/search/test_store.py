# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re

import pytest

from tests.search import recorded
from tflite_opt.records import errors, search
from tflite_opt.search import store as store_lib

DESCRIPTION = search.SearchDescription(
    model="a.keras",
    model_key="1",
    data="digits",
    data_fingerprint="2",
    runner="desktop",
    limits=recorded.LIMITS,
    seed=0,
    batch_size=4,
    techniques=("full_integer",),
    settings="{}",
    versions={},
)


@pytest.fixture
def store(tmp_path):
    return store_lib.Store(tmp_path, tmp_path)


def test_a_search_can_be_claimed_again(tmp_path):
    claimed = store_lib.Store.claim(tmp_path, DESCRIPTION)
    assert claimed == store_lib.Store(tmp_path, tmp_path)
    assert store_lib.Store.claim(tmp_path, DESCRIPTION) == claimed
    assert store_lib.Store.open(tmp_path) == claimed


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model", "b.keras", "another model: a.keras. Received: b.keras."),
        ("seed", 1, "another seed: 0. Received: 1."),
        ("batch_size", 8, "another batch size: 4. Received: 8."),
    ],
    ids=["model", "seed", "batch size"],
)
def test_rejects_the_records_of_another_search(tmp_path, field, value, message):
    store_lib.Store.claim(tmp_path, DESCRIPTION)
    other = dataclasses.replace(DESCRIPTION, **{field: value})
    with pytest.raises(errors.InputError, match=re.escape(message)):
        store_lib.Store.claim(tmp_path, other)


@pytest.mark.parametrize(
    ("changes", "are_shared"),
    [({"seed": 1, "batch_size": 8}, True), ({"data_fingerprint": "3"}, False)],
    ids=["other proposals", "other data"],
)
def test_searches_share_what_does_not_depend_on_proposals(
    tmp_path, changes, are_shared
):
    shared = tmp_path / "shared"
    first = store_lib.Store.claim(tmp_path / "a", DESCRIPTION, shared)
    second = store_lib.Store.claim(
        tmp_path / "b", dataclasses.replace(DESCRIPTION, **changes), shared
    )
    assert first.measured.is_relative_to(shared)
    assert (first.measured == second.measured) == are_shared
    assert store_lib.Store.open(tmp_path / "a") == first


def test_rejects_records_that_disagree_with_what_is_proposed(store, tmp_path):
    plan = recorded.plan(tmp_path)
    proposals = [
        plan.space.propose(0, lambda name, labels, i=i: labels[i])
        for i in (0, 1)
    ]
    store.keep(proposals[0])
    store.keep(proposals[0])
    with pytest.raises(
        errors.InputError, match="Trial 0 must be proposed as it was before"
    ):
        store.keep(proposals[1])


def test_trials_come_in_order_with_what_is_known(store, tmp_path):
    plan = recorded.plan(tmp_path)
    for number in (1, 0):
        store.keep(
            plan.space.propose(number, lambda name, labels, i=number: labels[i])
        )
    first = store.trials()[0][0]
    outcome = recorded.outcome(first.recipe)
    outcome.save(store.outcome(first.name))
    assert [x.number for x, _ in store.trials()] == [0, 1]
    assert [x for _, x in store.trials()] == [outcome, None]
