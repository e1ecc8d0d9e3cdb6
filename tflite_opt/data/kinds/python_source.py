# SPDX-License-Identifier: Apache-2.0
"""Data from a function of the user's own, for everything else.

The function takes no arguments and returns one of

- a mapping with the keys of `keyed_arrays`; `x_train` and the like may also be
  mappings from the names of inputs;
- a pair `(x_train, y_train), (x_test, y_test)`, as Keras' loaders do;
- a `tf.data.Dataset` of `x` or `(x, y)`, or a mapping of such from `train`,
  `validation` and `test`. It is read into memory, once.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tflite_opt import user_code
from tflite_opt.data import dataset, keyed_arrays, parts
from tflite_opt.records import errors

FORMS = ("python:PACKAGE.MODULE:FUNCTION",)
OPTIONS = ()

_BATCH_SIZE = 256
# What `tf.data.Dataset.cardinality` says of one that never ends.
_INFINITE = -1


def load(argument: str, spec: dataset.DataSpec) -> dataset.Dataset:
    """Calls the function and splits what it returns.

    Args:
        argument: As `package.module:function`; the module may be in the
            current directory.
        spec: Of the splits.

    Raises:
        InputError: If there is no such function.
        UserCodeError: If it raises.
        DataError: If what it returns is none of the above or breaks a rule.
    """
    where = f"what {argument} returns"
    found = user_code.call(argument)
    # A generator of theirs may raise only now.
    arrays = user_code.guard(argument, lambda: dict(_arrays(found, where)))
    source = parts.Source(
        name=spec.source,
        where=where,
        parts=keyed_arrays.to_parts(arrays, where),
    )
    return parts.to_dataset(source, spec)


def _arrays(found: Any, where: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yields arrays by the keys of `keyed_arrays`."""
    if _is_stream(found):
        found = {"train": found}
    if isinstance(found, tuple) and len(found) == 2:
        found = _keyed(found, where)
    if not isinstance(found, Mapping):
        raise errors.DataError(
            "A function must return a mapping with x_train and the like, a "
            "pair (x_train, y_train), (x_test, y_test), or tf.data.Datasets. "
            f"Received: {type(found).__name__} in {where}"
        )
    for key, value in found.items():
        if _is_stream(value):
            if key not in parts.NAMES:
                raise errors.DataError(
                    f"Datasets must be called {', '.join(parts.NAMES)}. "
                    f"Received: {key!r} in {where}"
                )
            value = _collect(value, key, where)
        else:
            value = {key: value}
        for name, array in value.items():
            yield from _flat(name, array, where)


def _keyed(pairs: tuple[Any, ...], where: str) -> dict[str, Any]:
    keyed = {}
    for part, pair in zip(("train", "test"), pairs, strict=True):
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise errors.DataError(
                "A pair must be (x_train, y_train), (x_test, y_test). "
                f"Received: {type(pair).__name__} for {part} in {where}"
            )
        keyed[f"x_{part}"], keyed[f"y_{part}"] = pair
    return keyed


def _flat(key: str, value: Any, where: str) -> Iterator[tuple[str, np.ndarray]]:
    if value is None:
        return
    named = (
        {f"{key}/{name}": x for name, x in value.items()}
        if isinstance(value, Mapping)
        else {key: value}
    )
    for name, x in named.items():
        try:
            yield name, np.asarray(x)
        except ValueError as error:
            raise errors.DataError(
                f"`{name}` must be an array. Received: {error} in {where}"
            ) from error


def _is_stream(value: Any) -> bool:
    """Returns whether it is a `tf.data.Dataset`, without TensorFlow."""
    return hasattr(value, "as_numpy_iterator")


def _collect(stream: Any, part: str, where: str) -> dict[str, Any]:
    """Returns all examples of a `tf.data.Dataset`."""
    if int(stream.cardinality()) == _INFINITE:
        raise errors.DataError(
            f"A tf.data.Dataset must end. Received: {part!r} without an end "
            f"in {where}. Leave out repeat()."
        )
    if not _is_batched(stream.element_spec, part, where):
        stream = stream.batch(_BATCH_SIZE)
    batches: dict[str, list[np.ndarray]] = {}
    for element in stream.as_numpy_iterator():
        for key, value in _pair(element, part, where).items():
            for name, array in _flat(f"{key}_{part}", value, where):
                batches.setdefault(name, []).append(array)
    try:
        return {name: np.concatenate(x) for name, x in batches.items()}
    except ValueError as error:
        raise errors.DataError(
            f"Examples must have one shape. Received: {error} in {part!r} of "
            f"{where}"
        ) from error


def _pair(element: Any, part: str, where: str) -> dict[str, Any]:
    pair = element if isinstance(element, tuple) else (element,)
    if len(pair) > 2 or any(isinstance(x, tuple) for x in pair):
        raise errors.DataError(
            "A tf.data.Dataset must hold x or (x, y), where x may be a mapping "
            "from the names of inputs. Received: nested tuples or "
            f"{len(pair)} values in {part!r} of {where}"
        )
    return dict(zip("xy", pair, strict=False))


def _is_batched(element_spec: Any, part: str, where: str) -> bool:
    pair = _pair(element_spec, part, where)
    specs = list(_leaves(pair))
    sizes = {spec.shape[0] if spec.shape.rank else "none" for spec in specs}
    if len(sizes) > 1 or "none" in sizes:
        return False
    if sizes == {None} or "y" in pair:
        return True
    raise errors.DataError(
        "Examples without labels must come in batches whose size is open, as "
        f"batch() makes them. Received: {specs[0].shape} in {part!r} of "
        f"{where}"
    )


def _leaves(values: Mapping[str, Any]) -> Iterator[Any]:
    for value in values.values():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        else:
            yield value
