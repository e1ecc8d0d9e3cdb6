# SPDX-License-Identifier: Apache-2.0
"""Arrays under the keys of an `.npz`, checked and in the dtypes of parts.

`x_<part>` is the only input of a part and `x_<part>/NAME` one of several,
`y_<part>` its labels; the parts are train, validation and test. NAME may hold
anything, a dot or a further slash too, as names of inputs do; with a slash an
`.npz` unpacks into a folder for each part.
"""

import re
from collections.abc import Mapping

import numpy as np

from tflite_opt.data import parts
from tflite_opt.records import errors

ONLY_INPUT = "x"

_INPUT_KEY = re.compile(rf"x_({'|'.join(parts.NAMES)})(?:/(.+))?", re.DOTALL)
_LABEL_KEY = re.compile(rf"y_({'|'.join(parts.NAMES)})")

# Pixels and audio samples come as integers of at most 16 bits, token ids as
# wider ones.
_NARROW_BYTES = 2


def to_parts(
    arrays: Mapping[str, np.ndarray], where: str
) -> dict[str, parts.Part]:
    """Returns the parts that the keys tell of.

    Values are never scaled: nothing says whether 0 to 255 was meant. Floats,
    and integers of at most 16 bits, become float32; wider integers become
    int32. What a model then takes is `representative.match_inputs`' business.

    Args:
        arrays: By key; those with other keys are ignored. Labels are integers
            of shape `(n,)`, class indices; integers of shape `(n, h, w)`,
            class maps; or floats of any shape `(n, ...)`.
        where: What errors call the source.

    Returns:
        By part, in the order train, validation, test.

    Raises:
        DataError: If a key is missing, or an array breaks a rule.
    """
    _check_keys(arrays, where)
    found = {}
    for part in parts.NAMES:
        inputs = {}
        for key in arrays:
            matched = _INPUT_KEY.fullmatch(key)
            if matched and matched[1] == part:
                name = matched[2] or ONLY_INPUT
                inputs[name] = _values(arrays[key], key, where)
        if inputs:
            labels = arrays.get(f"y_{part}")
            found[part] = parts.Part(
                inputs=inputs,
                labels=(
                    None
                    if labels is None
                    else _labels(labels, f"y_{part}", where)
                ),
            )
    return found


def _check_keys(keys: Mapping[str, np.ndarray], where: str) -> None:
    inputs = [m for m in map(_INPUT_KEY.fullmatch, keys) if m]
    with_inputs = {m[1] for m in inputs}
    mixed = sorted(m[1] for m in inputs if m[2] and f"x_{m[1]}" in keys)
    labelled = {m[1] for m in map(_LABEL_KEY.fullmatch, keys) if m}
    missing = [f"x_{part}" for part in sorted(labelled - with_inputs)]
    if "train" not in with_inputs:
        missing = ["x_train", *(key for key in missing if key != "x_train")]
    if labelled:
        missing += [f"y_{part}" for part in sorted(with_inputs - labelled)]
    if missing or mixed:
        reason = (
            f"Missing: {', '.join(missing)}."
            if missing
            else f"x_{mixed[0]} stands beside named inputs."
        )
        raise errors.DataError(
            "A data set must hold x_train, and may hold x_validation and "
            "x_test; each may be several inputs, as x_train/NAME; y_train, "
            "y_validation and y_test go with all of them or with none. "
            f"{reason} Received: {', '.join(sorted(keys)) or 'nothing'} in "
            f"{where}"
        )


def _values(array: np.ndarray, key: str, where: str) -> np.ndarray:
    if array.dtype.kind not in "fiu" or array.ndim < 2:
        raise errors.DataError(
            f"`{key}` must hold real numbers, shape (n, ...). Received: dtype="
            f"{array.dtype}, shape={array.shape} in {where}"
        )
    if array.dtype.kind in "iu" and array.dtype.itemsize > _NARROW_BYTES:
        return _as_int32(array, key, where)
    return _as_float32(array, key, where)


def _as_int32(array: np.ndarray, key: str, where: str) -> np.ndarray:
    limits = np.iinfo(np.int32)
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise errors.DataError(
            f"`{key}` must fit into int32. Received: values from "
            f"{array.min()} to {array.max()} in {where}"
        )
    return np.asarray(array, np.int32)


def _as_float32(array: np.ndarray, key: str, where: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        values = np.asarray(array, np.float32)
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if not finite.all():
        bad = np.flatnonzero(~finite)
        raise errors.DataError(
            f"`{key}` must be finite as float32. Received: NaN or infinity in "
            f"{len(bad)} of {len(values)} examples, the first at position "
            f"{bad[0]}, in {where}"
        )
    return values


def _labels(array: np.ndarray, key: str, where: str) -> np.ndarray:
    if array.dtype.kind == "f" and array.ndim:
        return _as_float32(array, key, where)
    if array.dtype.kind not in "iub" or array.ndim not in (1, 3):
        raise errors.DataError(
            f"`{key}` must hold integer class indices, shape (n,), integer "
            "class maps, shape (n, height, width), or floats. Received: "
            f"dtype={array.dtype}, shape={array.shape} in {where}"
        )
    return array.astype(np.int64)
