# SPDX-License-Identifier: Apache-2.0
"""Labels that are written out in a table or as names of folders."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.records import errors

Texts = Mapping[str, Sequence[str]]


def parse(
    texts: Texts, where: str
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Returns the labels that a table's column means.

    Args:
        texts: By part; `train` decides which classes there are.
        where: What errors call the column.

    Returns:
        Labels by part, and the names of classes. Integers are class indices
        as they are, int64, and have no names. Other numbers are values,
        float32. All else are names of classes.

    Raises:
        DataError: If a label is missing, no finite number among numbers, or
            a class that train does not have.
    """
    everything = [text for part in texts.values() for text in part]
    if "" in everything:
        raise errors.DataError(
            "Every example must have a label. Received: "
            f"{everything.count('')} of {len(everything)} empty in {where}"
        )
    try:
        numbers = [float(text) for text in everything]
    except ValueError:
        return from_names(texts, where)
    if not all(math.isfinite(number) for number in numbers):
        raise errors.DataError(
            f"Labels must be finite. Received: NaN or infinity in {where}"
        )
    if all(_is_integer(text) for text in everything):
        return {
            part: np.array([int(text) for text in found], np.int64)
            for part, found in texts.items()
        }, ()
    return {
        part: np.array([float(text) for text in found], np.float32)
        for part, found in texts.items()
    }, ()


def from_names(
    texts: Texts, where: str
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Returns class indices in the order of the sorted names, and the names.

    Args:
        texts: Name of the class of each example, by part.
        where: What errors call the source.

    Raises:
        DataError: If there are fewer than two classes, or one that train does
            not have.
    """
    classes = tuple(sorted(set(texts["train"])))
    if len(classes) < 2:
        raise errors.DataError(
            "There must be at least two classes. "
            f"Received: only {classes[0]!r} in {where}"
        )
    indices = {name: index for index, name in enumerate(classes)}
    for part, found in texts.items():
        unknown = sorted(set(found) - set(classes))
        if unknown:
            raise errors.DataError(
                f"Labels of the {part} part must be classes of the train "
                f"part. Received: {unknown[0]!r} ({len(unknown)} such in all) "
                f"in {where}"
            )
    return {
        part: np.array([indices[name] for name in found], np.int64)
        for part, found in texts.items()
    }, classes


def _is_integer(text: str) -> bool:
    return text.strip().lstrip("+-").isdecimal()
