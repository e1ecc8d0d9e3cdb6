# SPDX-License-Identifier: Apache-2.0
"""The values of a budget: numbers with their units, nothing guessed."""

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any

from tflite_opt.records import errors

_BYTES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_PERCENT = {"%": 0.01}
_LOSS = {"points": 0.01, "%": 0.01}
_QUANTITY = re.compile(r"([+-]?)\s*(\d[\d_]*(?:\.\d*)?|\.\d+)\s*([^\s\d]\S*)")
_VERSION = re.compile(r"\d+(\.\d+){1,2}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Loss:
    """A limit on the loss of a metric.

    Attributes:
        value: 0.003 for 0.3 points, and for 0.3 percent.
        unit: `points` for a metric that is a fraction, `%` of the baseline's
            value for others.
    """

    value: float
    unit: str


def bad_value(key: str, rule: str, value: Any) -> errors.InputError:
    """Returns the error for a value that breaks a rule.

    Args:
        key: Where it stands in the budget.
        rule: What it must be.
        value: What it is.
    """
    return errors.InputError(
        f"In the budget, `{key}` must be {rule}. Received: {value!r}."
    )


def num_bytes(key: str, value: Any) -> int:
    """Reads bytes: `46000` or `46 kB`."""
    rule = f"a number of bytes, or one with a unit of {', '.join(_BYTES)}"
    number = _number(key, value, rule, _BYTES, bare=True)
    if number < 1 or number != int(number):
        raise bad_value(key, "a whole number of bytes, at least 1", value)
    return int(number)


def milliseconds(key: str, value: Any) -> float:
    """Reads a duration: `1.5` ms, or `90 us`."""
    rule = "a positive number of ms, or one with a unit of us, ms, s"
    number = _number(key, value, rule, _MILLISECONDS, bare=True)
    if number <= 0:
        raise bad_value(key, rule, value)
    return number


def fraction(key: str, value: Any) -> float:
    """Reads a fraction: `0.95`, or `95 %`."""
    rule = "a fraction in [0, 1], or a percentage such as 95 %"
    number = _number(key, value, rule, _PERCENT, bare=True)
    if not 0 <= number <= 1:
        raise bad_value(key, rule, value)
    return number


def metric(key: str, value: Any) -> float:
    """Reads the value of a metric: any number, or a percentage."""
    rule = "a number, or a percentage such as 97 %"
    return _number(key, value, rule, _PERCENT, bare=True)


def count(key: str, value: Any) -> int:
    """Reads a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad_value(key, "a whole number, at least 0", value)
    return value


def text(key: str, value: Any) -> str:
    """Reads a text."""
    if not isinstance(value, str) or not value:
        raise bad_value(key, "a text", value)
    return value


def version(key: str, value: Any) -> str:
    """Reads a version of the runtime."""
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        # YAML reads 2.10 as the number 2.1.
        raise bad_value(key, "a version in quotes, such as '2.10.0'", value)
    return value


def increase(key: str, value: Any) -> float:
    """Reads how much more is allowed: `3 %`, or `+3 %`."""
    rule = "a percentage below 100 such as +3 %"
    number = _number(key, value, rule, _PERCENT, signs="+")
    if number >= 1:
        raise bad_value(key, rule, value)
    return number


def positive_increase(key: str, value: Any) -> float:
    """Reads how much more latency is allowed; no interval is below nothing."""
    number = increase(key, value)
    if number == 0:
        raise bad_value(key, "above 0 %: no measurement excludes less", value)
    return number


def loss(key: str, value: Any) -> Loss:
    """Reads how much may be lost: `0.3 points`, or `-0.3 points`."""
    rule = "a loss below 100 in points of a percentage or in %, as 0.3 points"
    number, unit = _quantity(key, value, rule, _LOSS, signs="-")
    if number >= 1:
        raise bad_value(key, rule, value)
    return Loss(value=number, unit=unit)


def _number(
    key: str,
    value: Any,
    rule: str,
    units: Mapping[str, float],
    *,
    bare: bool = False,
    signs: str = "",
) -> float:
    """Returns a number in the base unit; see `_quantity`.

    Args:
        key: Where it stands.
        value: What YAML read.
        rule: What it must be, for the error.
        units: Factors by unit.
        bare: Whether it may be a number without a unit.
        signs: Which signs it may have when it has a unit.
    """
    if bare and isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise bad_value(key, rule, value)
        return float(value)
    number, _ = _quantity(key, value, rule, units, signs=signs)
    return number


def _quantity(
    key: str, value: Any, rule: str, units: Mapping[str, float], *, signs: str
) -> tuple[float, str]:
    """Returns a number in the base unit, and the unit it had."""
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[3] not in units or found[1] not in ("", *signs):
        raise bad_value(key, rule, value)
    factor, number = units[found[3]], float(found[2])
    # Divided, where that is exact: 0.3 * 0.01 is not 0.003.
    number = number / round(1 / factor) if factor < 1 else number * factor
    return number, found[3]
