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
    return store_lib.Store(tmp_path)


def test_a_search_can_be_claimed_again(store):
    store.claim(DESCRIPTION)
    store.claim(DESCRIPTION)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model", "b.keras", "another model: a.keras. Received: b.keras."),
        ("seed", 1, "another seed: 0. Received: 1."),
        ("batch_size", 8, "another batch size: 4. Received: 8."),
    ],
    ids=["model", "seed", "batch size"],
)
def test_rejects_the_records_of_another_search(store, field, value, message):
    store.claim(DESCRIPTION)
    with pytest.raises(errors.InputError, match=re.escape(message)):
        store.claim(dataclasses.replace(DESCRIPTION, **{field: value}))


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
