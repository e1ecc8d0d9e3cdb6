# SPDX-License-Identifier: Apache-2.0
"""Seeded, stratified splits: which example goes where.

Works on labels and positions only; knows nothing of where examples come from.
The same labels and seed always give the same splits, whatever the machine.
"""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from tflite_opt.data import dataset
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
    labels: np.ndarray,
    gather: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    spec: dataset.DataSpec,
) -> dict[str, dataset.Split]:
    """Builds the four splits that `spec` asks for.

    Args:
        positions: Where each example goes.
        labels: Of all examples of the source, shape `(n,)`, integers.
        gather: Returns the inputs at some positions, by input name; called
            once for each split and only with what survives `spec.limit`.
        spec: `limit` cuts every split, stratified; `calibration` is then at
            most `limit` of the remaining train examples.

    Raises:
        DataError: If train has fewer than `spec.num_calibration` examples.
    """
    splits = {
        name: _split(name, _cut(chosen, labels, spec), labels, gather)
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
    order = stratified_order(train.labels, spec.seed, _CALIBRATION_STREAM)
    splits["calibration"] = train.take(order[:wanted], "calibration")
    return {name: splits[name] for name in dataset.SPLIT_NAMES}


def _cut(
    chosen: np.ndarray, labels: np.ndarray, spec: dataset.DataSpec
) -> np.ndarray:
    if not spec.limit or len(chosen) <= spec.limit:
        return chosen
    order = stratified_order(labels[chosen], spec.seed)
    return chosen[order[: spec.limit]]


def _split(
    name: str,
    chosen: np.ndarray,
    labels: np.ndarray,
    gather: Callable[[np.ndarray], Mapping[str, np.ndarray]],
) -> dataset.Split:
    return dataset.Split(
        name=name,
        inputs=gather(chosen),
        labels=labels[chosen].astype(np.int64),
        ids=chosen.astype(np.int64),
    )
