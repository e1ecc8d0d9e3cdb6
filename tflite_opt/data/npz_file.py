# SPDX-License-Identifier: Apache-2.0
"""Reads and checks a data set that the user keeps in one `.npz` file."""

import dataclasses
import pathlib
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.records import errors

_REQUIRED = ("x_train", "y_train", "x_test", "y_test")
_OPTIONAL = ("x_validation", "y_validation")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """One part of the file.

    Attributes:
        values: Shape `(n, ...)`, float32, finite; the file's numbers, cast.
        labels: Shape `(n,)`, int64, in `[0, num_classes)`.
    """

    values: np.ndarray
    labels: np.ndarray


def load(path: pathlib.Path) -> dict[str, Part]:
    """Reads `train`, `validation` if the file has it, and `test`.

    Values are never scaled: nothing in the file says whether 0 to 255 was
    meant. The number of classes is the largest train label plus 1.

    Args:
        path: An `.npz` with `x_train`, `y_train`, `x_test`, `y_test`, and
            optionally `x_validation` and `y_validation`. Pickled objects are
            refused.

    Returns:
        By part name, in the order train, validation, test.

    Raises:
        DataError: If the file cannot be read, or an array is missing or
            breaks a rule.
    """
    arrays = _read(path)
    parts = {}
    for name in ("train", "validation", "test"):
        if f"x_{name}" in arrays:
            parts[name] = Part(
                values=_values(arrays, f"x_{name}", path),
                labels=_labels(arrays, f"y_{name}", path),
            )
            _check_lengths(parts[name], name, path)
    _check_shapes(parts, path)
    num_classes = int(parts["train"].labels.max()) + 1
    if num_classes < 2:
        raise errors.DataError(
            "`y_train` must hold at least two classes. "
            f"Received: only label 0 in {str(path)!r}"
        )
    for name, part in parts.items():
        _check_classes(part.labels, f"y_{name}", num_classes, path)
    return parts


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise errors.DataError(
                f"{str(path)!r} holds a single array. Write the data set "
                "with numpy.savez."
            )
        with archive:
            _check_keys(archive.files, path)
            known = set(_REQUIRED + _OPTIONAL)
            return {key: archive[key] for key in archive.files if key in known}
    except FileNotFoundError as error:
        raise errors.DataError(f"No data set at {str(path)!r}.") from error
    except errors.DataError:
        raise
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise _unreadable(path, error) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: pathlib.Path, error: Exception) -> errors.DataError:
    reason = getattr(error, "strerror", None) or str(error) or "it is empty"
    if "pickle" in reason.lower():
        reason = "it is not an .npz of plain arrays; objects are not unpickled"
    return errors.DataError(
        f"Cannot read the data set {str(path)!r}: {reason.rstrip('.')}. Write "
        "it with numpy.savez from arrays of numbers."
    )


def _check_keys(found: list[str], path: pathlib.Path) -> None:
    missing = [key for key in _REQUIRED if key not in found]
    halves = [key for key in _OPTIONAL if key in found]
    if len(halves) == 1:
        missing += [key for key in _OPTIONAL if key not in found]
    if missing:
        raise errors.DataError(
            f"A data set must hold {', '.join(_REQUIRED)}, and "
            f"{' and '.join(_OPTIONAL)} together or not at all. "
            f"Missing: {', '.join(missing)}. "
            f"Received: {', '.join(sorted(found)) or 'nothing'} "
            f"in {str(path)!r}"
        )


def _values(
    arrays: Mapping[str, np.ndarray], key: str, path: pathlib.Path
) -> np.ndarray:
    array = arrays[key]
    if array.dtype.kind not in "fiu" or array.ndim < 2:
        raise errors.DataError(
            f"`{key}` must hold real numbers, shape (n, ...). Received: dtype="
            f"{array.dtype}, shape={array.shape} in {str(path)!r}"
        )
    with np.errstate(over="ignore"):
        values = array.astype(np.float32)
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if not finite.all():
        bad = np.flatnonzero(~finite)
        raise errors.DataError(
            f"`{key}` must be finite as float32. Received: NaN or infinity in "
            f"{len(bad)} of {len(values)} examples, the first at position "
            f"{bad[0]}, in {str(path)!r}"
        )
    return values


def _labels(
    arrays: Mapping[str, np.ndarray], key: str, path: pathlib.Path
) -> np.ndarray:
    array = arrays[key]
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise errors.DataError(
            f"`{key}` must hold integer class indices, shape (n,). Received: "
            f"dtype={array.dtype}, shape={array.shape} in {str(path)!r}"
        )
    return array.astype(np.int64)


def _check_lengths(part: Part, name: str, path: pathlib.Path) -> None:
    # Two train examples are the least of which one can be held out.
    least = 2 if name == "train" else 1
    if len(part.values) != len(part.labels) or len(part.labels) < least:
        raise errors.DataError(
            f"`x_{name}` and `y_{name}` must have the same length, at least "
            f"{least}. Received: {len(part.values)} and {len(part.labels)} in "
            f"{str(path)!r}"
        )


def _check_shapes(parts: Mapping[str, Part], path: pathlib.Path) -> None:
    shapes = {f"x_{name}": p.values.shape[1:] for name, p in parts.items()}
    if len(set(shapes.values())) != 1:
        raise errors.DataError(
            "Examples must have the same shape in every part. "
            f"Received: {shapes} in {str(path)!r}"
        )


def _check_classes(
    labels: np.ndarray, key: str, num_classes: int, path: pathlib.Path
) -> None:
    outside = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if len(outside):
        first = outside[0]
        raise errors.DataError(
            f"`{key}` must be in [0, {num_classes}), the classes of `y_train`. "
            f"Received: label {labels[first]} at position {first} "
            f"({len(outside)} in all) in {str(path)!r}"
        )
