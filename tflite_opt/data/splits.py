# SPDX-License-Identifier: Apache-2.0
"""Seeded, stratified splits: which example goes where.

Works on labels and positions only; knows nothing of where examples come from.
The same labels and seed always give the same splits, whatever the machine.
Only class indices stratify; examples with other labels, or none, are shuffled
as if they were all of one class.
"""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from tflite_opt.data import dataset, examples
from tflite_opt.records import errors

VALIDATION_FRACTION = 0.1
MAX_VALIDATION_EXAMPLES = 5_000

# Shares of a source that has no official test set.
POOL_VALIDATION_FRACTION = 0.15
POOL_TEST_FRACTION = 0.25

# One stream of random numbers for each decision, so that another number of
# calibration samples never moves an example between train and validation.
_SPLIT_STREAM = 0
_CALIBRATION_STREAM = 1


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Positions:
    """Which examples of a source make each split.

    Attributes:
        train: Positions in the source, shape `(n,)`, int64, in an order of
            which each prefix is stratified as well as its length allows.
        validation: Likewise; ascending when the source brought its own.
        test: Likewise; ascending when the source brought its own.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def strata(labels: np.ndarray | None, count: int) -> np.ndarray:
    """Returns the class by which each example is stratified.

    Args:
        labels: Of `count` examples, in a form that a split may have.
        count: Number of examples.

    Returns:
        `labels` if they are class indices, else zeros; shape `(count,)`.
    """
    if labels is not None and dataset.are_class_indices(labels):
        return labels
    return np.zeros(count, np.int64)


def stratified_order(
    labels: np.ndarray, seed: int, stream: int = _SPLIT_STREAM
) -> np.ndarray:
    """Returns a random order whose every prefix is stratified.

    Each class is shuffled and its k-th of n examples is put at a random place
    in `[k/n, (k+1)/n)`. A prefix that holds the fraction f of all examples
    therefore holds about `f * n` of each class, off by less than 2.

    Args:
        labels: Class indices, shape `(n,)`, integers.
        seed: Not negative; other seeds give other orders.
        stream: Which independent random stream of that seed.

    Returns:
        A permutation of `arange(n)`, int64.
    """
    generator = np.random.default_rng([seed, stream])
    keys = np.empty(len(labels), np.float64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        places = generator.permutation(len(members))
        keys[members] = (places + generator.random(len(members))) / len(members)
    return np.argsort(keys, kind="stable")


def split_pool(labels: np.ndarray, seed: int) -> Positions:
    """Splits a source without an official test set 60/15/25.

    Args:
        labels: Of all examples, shape `(n,)`, integers.
        seed: Not negative.
    """
    order = stratified_order(labels, seed)
    num_test = round(len(order) * POOL_TEST_FRACTION)
    num_validation = round(len(order) * POOL_VALIDATION_FRACTION)
    end = num_test + num_validation
    return Positions(
        train=order[end:], validation=order[num_test:end], test=order[:num_test]
    )


def split_train(labels: np.ndarray, num_test: int, seed: int) -> Positions:
    """Takes the validation split from train; test is the official one.

    Args:
        labels: Of the train examples, shape `(n,)`, integers. The test
            examples follow them in the source.
        num_test: Number of test examples.
        seed: Not negative.
    """
    order = stratified_order(labels, seed)
    num_validation = min(
        max(1, round(len(order) * VALIDATION_FRACTION)), MAX_VALIDATION_EXAMPLES
    )
    return Positions(
        train=order[num_validation:],
        validation=order[:num_validation],
        test=np.arange(len(order), len(order) + num_test),
    )


def split_held_out(
    labels: np.ndarray, held_out_labels: np.ndarray, seed: int
) -> Positions:
    """Halves what the source holds out into validation and test.

    Args:
        labels: Of the train examples, shape `(n,)`, integers. The examples
            that are held out follow them in the source.
        held_out_labels: Of those, shape `(m,)`, integers; m is at least 2.
        seed: Not negative.
    """
    order = len(labels) + stratified_order(held_out_labels, seed)
    middle = len(order) // 2
    return Positions(
        train=stratified_order(labels, seed),
        validation=order[:middle],
        test=order[middle:],
    )


def keep_splits(
    labels: np.ndarray, num_validation: int, num_test: int, seed: int
) -> Positions:
    """Keeps all three splits as the source has them.

    Args:
        labels: Of the train examples, shape `(n,)`, integers. The validation
            and then the test examples follow them in the source.
        num_validation: Number of validation examples.
        num_test: Number of test examples.
        seed: Of the order of train; not negative.
    """
    end = len(labels) + num_validation
    return Positions(
        train=stratified_order(labels, seed),
        validation=np.arange(len(labels), end),
        test=np.arange(end, end + num_test),
    )


def assemble(
    positions: Positions,
    labels: np.ndarray | None,
    gather: Callable[[np.ndarray], Mapping[str, examples.Examples]],
    spec: dataset.DataSpec,
) -> dict[str, dataset.Split]:
    """Builds the four splits that `spec` asks for.

    Args:
        positions: Where each example goes.
        labels: Of all examples of the source, in a form that a split may
            have; None for unlabelled examples.
        gather: Returns the inputs at some positions, by input name; called
            once for each split and only with what survives `spec.limit`.
        spec: `limit` cuts every split, stratified; `calibration` is at
            most `limit` of the remaining train examples.

    Raises:
        DataError: If train has fewer than `spec.num_calibration` examples.
    """
    num_examples = sum(
        len(x) for x in (positions.train, positions.validation, positions.test)
    )
    classes = strata(labels, num_examples)
    splits = {
        name: _split(name, _cut(chosen, classes, spec), labels, gather)
        for name, chosen in (
            ("train", positions.train),
            ("validation", positions.validation),
            ("test", positions.test),
        )
    }
    train = splits["train"]
    wanted = min(spec.num_calibration, spec.limit or spec.num_calibration)
    if wanted > len(train):
        raise errors.DataError(
            "`num_calibration` must be at most the number of train examples. "
            f"Received: num_calibration={spec.num_calibration}, "
            f"source={spec.source!r} with {len(train)} train examples"
        )
    order = stratified_order(classes[train.ids], spec.seed, _CALIBRATION_STREAM)
    splits["calibration"] = train.take(order[:wanted], "calibration")
    return {name: splits[name] for name in dataset.SPLIT_NAMES}


def _cut(
    chosen: np.ndarray, classes: np.ndarray, spec: dataset.DataSpec
) -> np.ndarray:
    if not spec.limit or len(chosen) <= spec.limit:
        return chosen
    order = stratified_order(classes[chosen], spec.seed)
    return chosen[order[: spec.limit]]


def _split(
    name: str,
    chosen: np.ndarray,
    labels: np.ndarray | None,
    gather: Callable[[np.ndarray], Mapping[str, examples.Examples]],
) -> dataset.Split:
    return dataset.Split(
        name=name,
        inputs=gather(chosen),
        labels=None if labels is None else labels[chosen],
        ids=chosen.astype(np.int64),
    )
