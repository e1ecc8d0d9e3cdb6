# SPDX-License-Identifier: Apache-2.0
"""Loads a data set by the name of its source.

Knows no kind of source itself: each is a module of `kinds`. Which example goes
where is the business of `splits`.
"""

import functools
import importlib
import pkgutil
import types

from tflite_opt.data import dataset, kinds
from tflite_opt.records import errors


def load(spec: dataset.DataSpec) -> dataset.Dataset:
    """Loads the splits of a data set.

    Args:
        spec: `source` is one of `forms()`.

    Returns:
        All four splits. Ids count through train, validation where the source
        has one, and test.

    Raises:
        DataError: If the source is unknown, cannot be read or downloaded, or
            does not hold what it must.
        InputError: If an option is set that the source does not have.
    """
    name, colon, argument = spec.source.partition(":")
    kind = _kinds().get(name + colon)
    if kind is None or (colon and not argument):
        raise errors.DataError(
            f"`source` must be one of {', '.join(forms())}. "
            f"Received: source={spec.source!r}"
        )
    _check_options(spec, kind)
    loaded: dataset.Dataset = kind.load(argument if colon else name, spec)
    return loaded


def forms() -> tuple[str, ...]:
    """Returns what `DataSpec.source` may be, in the words of the kinds.

    Names come first; capitals stand for the user's own words.
    """
    found = [form for kind in _modules() for form in kind.FORMS]
    return tuple(sorted(found, key=lambda form: (":" in form, form)))


@functools.cache
def _modules() -> tuple[types.ModuleType, ...]:
    return tuple(
        importlib.import_module(f"{kinds.__name__}.{module.name}")
        for module in pkgutil.iter_modules(kinds.__path__)
    )


def _kinds() -> dict[str, types.ModuleType]:
    """Returns the module of each name and of each prefix with its colon."""
    return {
        "".join(form.partition(":")[:2]): kind
        for kind in _modules()
        for form in kind.FORMS
    }


def _check_options(spec: dataset.DataSpec, kind: types.ModuleType) -> None:
    known = {option for module in _modules() for option in module.OPTIONS}
    plain = dataset.DataSpec(source=spec.source)
    for option in sorted(known - set(kind.OPTIONS)):
        value = getattr(spec, option)
        if value != getattr(plain, option):
            able = [
                x for m in _modules() if option in m.OPTIONS for x in m.FORMS
            ]
            raise errors.InputError(
                f"`{option}` is for {', '.join(able)} only. "
                f"Received: {option}={value!r}, source={spec.source!r}"
            )
