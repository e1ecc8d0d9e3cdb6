# SPDX-License-Identifier: Apache-2.0
import re

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from tests.data import lazy
from tflite_opt.data import dataset, splits
from tflite_opt.records import errors

LABELS = np.repeat(np.arange(10), 100)


def assemble(positions, labels, count=1000, **fields):
    values = np.arange(count, dtype=np.float32)[:, np.newaxis]
    return splits.assemble(
        positions,
        labels,
        lambda chosen: {"x": values[chosen]},
        dataset.DataSpec(source="test", **fields),
    )


@hypothesis.given(
    labels=strategies.lists(strategies.integers(0, 4), min_size=1),
    seed=strategies.integers(0, 2**31),
    data=strategies.data(),
)
def test_every_prefix_of_a_stratified_order_is_stratified(labels, seed, data):
    labels = np.array(labels)
    order = splits.stratified_order(labels, seed)
    assert sorted(order) == list(range(len(labels)))
    length = data.draw(strategies.integers(0, len(labels)))
    for label in np.unique(labels):
        exact = np.mean(labels == label) * length
        received = np.sum(labels[order[:length]] == label)
        assert abs(received - exact) < len(np.unique(labels)) + 1


def test_order_is_not_sorted_by_class():
    first = LABELS[splits.stratified_order(LABELS, 0)][:100]
    assert np.sum(np.diff(first) == 1) < 50


@pytest.mark.parametrize(
    "positions",
    [
        splits.split_pool(LABELS, 3),
        splits.split_train(LABELS[:800], 200, 3),
        splits.keep_splits(LABELS[:700], 100, 200, 3),
    ],
    ids=["pool", "train", "keep"],
)
def test_each_example_is_in_exactly_one_split(positions):
    found = assemble(positions, LABELS)
    ids = np.concatenate(
        [found[name].ids for name in ("train", "validation", "test")]
    )
    assert sorted(ids) == list(range(1000))
    assert set(found["calibration"].ids) < set(found["train"].ids)
    for split in found.values():
        assert (LABELS[split.ids] == split.labels).all()
        assert (split.inputs["x"][:, 0] == split.ids).all()
        assert split.labels.dtype == split.ids.dtype == np.int64


def test_pool_is_split_60_15_25_with_equal_classes():
    found = assemble(splits.split_pool(LABELS, 0), LABELS)
    sizes = {name: len(split) for name, split in found.items()}
    assert sizes == {
        "train": 600,
        "calibration": 200,
        "validation": 150,
        "test": 250,
    }
    for name, split in found.items():
        counts = np.bincount(split.labels, minlength=10)
        assert counts.max() - counts.min() <= 2, name


def test_validation_is_a_tenth_of_train_and_test_stays_in_order():
    positions = splits.split_train(LABELS, 30, 0)
    assert len(positions.validation) == 100
    assert positions.test.tolist() == list(range(1000, 1030))


def test_validation_has_at_most_5000_examples():
    positions = splits.split_train(np.zeros(60_000, int), 1, 0)
    assert len(positions.validation) == 5_000
    assert len(positions.train) == 55_000


def test_same_seed_gives_the_same_splits_and_another_does_not():
    def fingerprints(seed):
        found = assemble(splits.split_pool(LABELS, seed), LABELS, seed=seed)
        return {name: split.fingerprint() for name, split in found.items()}

    first, again, other = fingerprints(1), fingerprints(1), fingerprints(2)
    assert first == again
    assert all(first[name] != other[name] for name in first)


def test_number_of_calibration_samples_does_not_move_other_examples():
    positions = splits.split_pool(LABELS, 0)
    few = assemble(positions, LABELS, num_calibration=50)
    many = assemble(positions, LABELS, num_calibration=100)
    assert few["train"].ids.tolist() == many["train"].ids.tolist()
    assert (
        few["calibration"].ids.tolist() == many["calibration"].ids[:50].tolist()
    )


def test_limit_cuts_every_split_and_keeps_all_classes():
    found = assemble(splits.split_pool(LABELS, 0), LABELS, limit=40)
    for name, split in found.items():
        assert len(split) == 40, name
        assert set(split.labels) == set(range(10)), name


def test_only_class_indices_stratify():
    values = np.linspace(0, 1, 10, dtype=np.float32)
    for labels in (None, values, np.ones((10, 2, 2), np.int64)):
        assert splits.strata(labels, 10).tolist() == [0] * 10
    assert splits.strata(LABELS, 1000) is LABELS


@pytest.mark.parametrize("width", [None, 1, 3], ids=["none", "one", "three"])
def test_other_labels_are_shuffled_and_stay_with_their_examples(width):
    labels = None
    if width:
        labels = np.repeat(np.arange(100, dtype=np.float32), width)
        labels = labels.reshape(100, width)
    positions = splits.split_pool(splits.strata(labels, 100), 0)
    found = assemble(positions, labels, count=100, num_calibration=9, limit=12)
    assert (np.diff(positions.train) < 0).any()
    for split in found.values():
        assert (split.inputs["x"][:, 0] == split.ids).all()
        if labels is None:
            assert split.labels is None
        else:
            assert split.labels.dtype == np.float32
            assert (split.labels == split.ids[:, np.newaxis]).all()


def test_held_out_examples_are_halved_with_equal_classes():
    positions = splits.split_held_out(LABELS[:500], LABELS[:200], 3)
    assert sorted(positions.train) == list(range(500))
    held_out = np.concatenate([positions.validation, positions.test])
    assert sorted(held_out) == list(range(500, 700))
    for half in (positions.validation, positions.test):
        assert np.bincount(LABELS[half - 500]).tolist() == [50, 50]


def test_lazy_inputs_are_split_without_loading_them():
    given = lazy.Counted(np.arange(1000, dtype=np.float32)[:, np.newaxis])
    found = splits.assemble(
        splits.split_pool(LABELS, 0),
        LABELS,
        lambda chosen: {"x": given.take(chosen)},
        dataset.DataSpec(source="test"),
    )
    assert given.largest_batch() == 0
    batch = found["calibration"].inputs["x"][:5]
    assert batch[:, 0].tolist() == found["calibration"].ids[:5].tolist()


def test_rejects_more_calibration_samples_than_train_examples():
    with pytest.raises(
        errors.DataError,
        match=re.escape(
            "Received: num_calibration=601, source='test' with 600 train "
            "examples"
        ),
    ):
        assemble(splits.split_pool(LABELS, 0), LABELS, num_calibration=601)
