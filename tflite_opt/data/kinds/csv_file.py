# SPDX-License-Identifier: Apache-2.0
"""A table of numbers in a `.csv` file, with or without a column of labels."""

import array
import csv
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.data import dataset, label_text, parts
from tflite_opt.records import errors

FORMS = ("csv:FILE",)
OPTIONS = ("label_column",)

INPUT = "features"


def load(argument: str, spec: dataset.DataSpec) -> dataset.Dataset:
    """Reads a table and splits its rows.

    Args:
        argument: Path of a file with a header, commas, in UTF-8.
        spec: Of the splits; `label_column` is no feature. Integers there are
            class indices, other numbers values, all else names of classes.

    Returns:
        One input `features`, shape `(n, columns)`, float32, in the order of
        the columns.

    Raises:
        DataError: If the file cannot be read, the label column is not there,
            or a feature is not a finite number.
    """
    path = pathlib.Path(argument).expanduser()
    where = repr(str(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            features, labels = _read(
                csv.reader(file, skipinitialspace=True),
                spec.label_column,
                where,
            )
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise errors.DataError(f"Cannot read {where}: {reason}.") from error
    found: dict[str, np.ndarray] = {}
    class_names: tuple[str, ...] = ()
    if spec.label_column is not None:
        column = f"the column {spec.label_column!r} of {where}"
        found, class_names = label_text.parse({"train": labels}, column)
    part = parts.Part(inputs={INPUT: features}, labels=found.get("train"))
    source = parts.Source(
        name=f"csv:{path.name}",
        where=where,
        parts={"train": part},
        class_names=class_names,
    )
    return parts.to_dataset(source, spec)


def _read(
    rows: Any, label_column: str | None, where: str
) -> tuple[np.ndarray, list[str]]:
    """Returns the features, and the texts of the labels where there are any.

    Args:
        rows: A `csv.reader`.
        label_column: Which column is no feature.
        where: What errors call the file.
    """
    columns = [name.strip() for name in next(rows, [])]
    place = _label_place(columns, label_column, where)
    names = [name for name in columns if name != label_column]
    # 4 bytes a value; a list of floats would take 32.
    values = array.array("f")
    labels = []
    for row in filter(None, rows):
        if len(row) != len(columns):
            raise errors.DataError(
                f"Every row must have {len(columns)} columns. Received: "
                f"{len(row)} in line {rows.line_num} of {where}"
            )
        if place is not None:
            labels.append(row.pop(place).strip())
        try:
            values.extend(map(float, row))
        except ValueError as error:
            name, text = next(
                (name, text)
                for name, text in zip(names, row, strict=True)
                if not _is_number(text)
            )
            raise errors.DataError(
                "All columns but the label must hold numbers. Received: "
                f"{text!r} in the column {name!r}, line {rows.line_num} of "
                f"{where}. If it is the label, say --label_column={name}"
            ) from error
    features = np.frombuffer(values, np.float32).reshape(-1, len(names))
    bad = np.argwhere(~np.isfinite(features))
    if len(bad):
        raise errors.DataError(
            "Features must be finite as float32. Received: NaN or infinity in "
            f"{len(bad)} places of {where}, the first in the column "
            f"{names[bad[0][1]]!r}"
        )
    return features, labels


def _label_place(
    columns: Sequence[str], label_column: str | None, where: str
) -> int | None:
    """Returns the position of the label column."""
    if len(set(columns)) < len(columns) or not columns:
        raise errors.DataError(
            "The first line must name every column, each with another name. "
            f"Received: {', '.join(columns) or 'nothing'} in {where}"
        )
    if label_column is None:
        return None
    if label_column not in columns or len(columns) == 1:
        raise errors.DataError(
            "`label_column` must be a column beside others. "
            f"Received: label_column={label_column!r}; the columns of {where} "
            f"are {', '.join(columns)}"
        )
    return columns.index(label_column)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
