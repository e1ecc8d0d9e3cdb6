# SPDX-License-Identifier: Apache-2.0
"""From the parts that a source brings to the four splits of a data set.

Owns the rules that parts must keep, whatever they were read from, and which
part becomes which split.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from tflite_opt.data import dataset, examples, splits
from tflite_opt.records import errors

NAMES = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """Examples as a source holds them.

    Attributes:
        inputs: By input name, shape `(n, ...)`, float32 or int32.
        labels: In one of the forms of `dataset.Split`.
    """

    inputs: Mapping[str, examples.Examples]
    labels: np.ndarray | None

    def __len__(self) -> int:
        """Number of examples."""
        return len(next(iter(self.inputs.values())))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """What was read, before it is split.

    Attributes:
        name: What records and tables call it.
        where: What errors call it: a path or a function.
        parts: By name, in the order of `NAMES`; `train` is always there.
        class_names: One for each class where the source has them.
    """

    name: str
    where: str
    parts: Mapping[str, Part]
    class_names: tuple[str, ...] = ()


def to_dataset(source: Source, spec: dataset.DataSpec) -> dataset.Dataset:
    """Checks the parts and splits them.

    A source with `train` alone is a pool and is split 60/15/25. With all three
    parts they are the splits. With `train` and `test`, validation is taken
    from train; only where train holds nothing but class 0 and test others too
    (anomalies), or where `validation` is there without `test`, what is held
    out is halved into validation and test.

    Args:
        source: What was read.
        spec: Seed and sizes of the splits.

    Raises:
        DataError: If a part breaks a rule.
    """
    parts = source.parts
    for name, part in parts.items():
        _check_lengths(part, name, source)
    _check_alike(source)
    num_classes = _num_classes(source)
    starts = np.cumsum([0, *(len(part) for part in parts.values())])

    def gather(chosen: np.ndarray) -> Mapping[str, examples.Examples]:
        # No split takes examples of two parts.
        index = int(np.searchsorted(starts, chosen[0], side="right")) - 1
        inputs = list(parts.values())[index].inputs
        positions = chosen - starts[index]
        return {k: examples.take(x, positions) for k, x in inputs.items()}

    return dataset.Dataset(
        name=source.name,
        num_classes=num_classes,
        class_names=source.class_names,
        splits=splits.assemble(
            _positions(parts, spec.seed), _all_labels(parts), gather, spec
        ),
    )


def _positions(parts: Mapping[str, Part], seed: int) -> splits.Positions:
    classes = {n: splits.strata(p.labels, len(p)) for n, p in parts.items()}
    train = classes["train"]
    held_out = [classes[name] for name in NAMES[1:] if name in parts]
    if not held_out:
        return splits.split_pool(train, seed)
    if len(held_out) == 2:
        return splits.keep_splits(
            train, len(held_out[0]), len(held_out[1]), seed
        )
    if "validation" in parts or (not train.any() and held_out[0].any()):
        return splits.split_held_out(train, held_out[0], seed)
    return splits.split_train(train, len(held_out[0]), seed)


def _all_labels(parts: Mapping[str, Part]) -> np.ndarray | None:
    found = [p.labels for p in parts.values() if p.labels is not None]
    return np.concatenate(found) if found else None


def _check_lengths(part: Part, name: str, source: Source) -> None:
    lengths = {key: len(x) for key, x in part.inputs.items()}
    if part.labels is not None:
        lengths["labels"] = len(part.labels)
    # Of fewer, validation and test cannot be taken.
    alone = len(source.parts) == 1
    least = 4 if alone else 2 if len(source.parts) == 2 else 1
    if len(set(lengths.values())) != 1 or min(lengths.values()) < least:
        raise errors.DataError(
            f"All arrays of the {name} part must have the same number of "
            f"examples, at least {least}. Received: {lengths} in "
            f"{source.where}"
        )


def _check_alike(source: Source) -> None:
    """Checks that all parts have the same inputs and kind of labels."""
    train = source.parts["train"]
    for name, part in source.parts.items():
        expected, found = (
            {k: (x.shape[1:], x.dtype.name) for k, x in p.inputs.items()}
            for p in (train, part)
        )
        if expected != found:
            raise errors.DataError(
                "Examples must have the same inputs, shapes and dtypes in "
                f"every part. Received: train: {expected}, {name}: {found} in "
                f"{source.where}"
            )
        kinds = _label_kind(train.labels), _label_kind(part.labels)
        if kinds[0] != kinds[1]:
            raise errors.DataError(
                "Labels must be of one kind in every part, or missing in all. "
                f"Received: train: {kinds[0]}, {name}: {kinds[1]} in "
                f"{source.where}"
            )


def _label_kind(labels: np.ndarray | None) -> str:
    if labels is None:
        return "no labels"
    if dataset.are_class_indices(labels):
        return "class indices"
    if labels.dtype.kind in "iu":
        return f"class maps of shape {labels.shape[1:]}"
    return f"values of shape {labels.shape[1:]}"


def _num_classes(source: Source) -> int | None:
    """Returns the number of classes after checking every label."""
    labels = {name: part.labels for name, part in source.parts.items()}
    train = labels["train"]
    if train is None or train.dtype.kind == "f":
        return None
    count = len(source.class_names) or _count_classes(labels)
    for name, found in labels.items():
        _check_classes(found, name, count, source)
    if count < 2:
        raise errors.DataError(
            "Labels must be of at least two classes. Received: only class 0 "
            f"in {source.where}. Leave the labels out if there are none."
        )
    return count


def _count_classes(labels: Mapping[str, np.ndarray]) -> int:
    count = int(labels["train"].max()) + 1
    if count > 1:
        return count
    # Train of anomaly detection holds only what is normal.
    largest = max(int(found.max()) for found in labels.values())
    return 2 if largest == 1 else count


def _check_classes(
    labels: np.ndarray, name: str, num_classes: int, source: Source
) -> None:
    outside = (labels < 0) | (labels >= num_classes)
    if outside.any():
        wrong = outside.reshape(len(labels), -1).any(axis=1)
        first = int(np.flatnonzero(wrong)[0])
        value = labels[first][outside[first]].flat[0]
        raise errors.DataError(
            f"Labels of the {name} part must be in [0, {num_classes}), the "
            f"classes of the train part. Received: label {value} at position "
            f"{first} ({wrong.sum()} in all) in {source.where}"
        )
