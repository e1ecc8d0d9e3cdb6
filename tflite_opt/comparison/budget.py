# SPDX-License-Identifier: Apache-2.0
"""The budget of a gate, read from YAML.

Strict: what is not understood is refused, because a rule with a slip in its
name would pass for ever. `examples/budget.yaml` shows every key.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from tflite_opt import strict_yaml
from tflite_opt.comparison import budget_units as units
from tflite_opt.records import errors

EVERY_MODEL = "*"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatencyLimit:
    """A limit on the median latency.

    Attributes:
        max_ms: At most this.
        device: Pattern of the device's model or key, as in a shell.
        num_threads: For which it holds; None for any.
    """

    max_ms: float
    device: str = "*"
    num_threads: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Relative:
    """Limits against the baseline.

    Attributes:
        latency: Largest growth, a fraction; None for no limit.
        accuracy: Largest loss; None for no limit.
        size: Largest growth of the file, a fraction; None for no limit.
    """

    latency: float | None = None
    accuracy: units.Loss | None = None
    size: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """What a model must keep; None and empty where there is no limit.

    Attributes:
        size_bytes: Most bytes of the file.
        latency_ms: Where several fit the device, all hold.
        accuracy: By metric: the least value, or the most of an error.
        peak_memory_bytes: Most of a launch.
        partitions: Most delegate nodes; none at all is allowed only by 0.
        quantized_weight_fraction: Least share of weights in at most 8 bits.
        min_runtime_version: Newest runtime that the file may need.
        relative: Against the baseline.
    """

    size_bytes: int | None = None
    latency_ms: tuple[LatencyLimit, ...] = ()
    accuracy: dict[str, float] = dataclasses.field(default_factory=dict)
    peak_memory_bytes: int | None = None
    partitions: int | None = None
    quantized_weight_fraction: float | None = None
    min_runtime_version: str | None = None
    relative: Relative = Relative()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits by model name; `*` holds for every model, besides its own."""

    models: dict[str, Limits]

    def of(self, name: str) -> list[Limits]:
        """Returns the limits that hold for a model."""
        keys = dict.fromkeys((EVERY_MODEL, name))
        return [self.models[key] for key in keys if key in self.models]

    def has_relative(self, name: str) -> bool:
        """Whether any model has the relative limit of that name."""
        return any(
            getattr(limits.relative, name) is not None
            for limits in self.models.values()
        )


def load(path: pathlib.Path) -> Budget:
    """Reads a budget.

    Raises:
        InputError: If it cannot be read, is no YAML, or has keys, units or
            values that are not understood.
    """
    content = strict_yaml.load(path, "budget")
    return parse(content)


def parse(content: Any) -> Budget:
    """Returns the budget that plain YAML types describe.

    Raises:
        InputError: If there are keys, units or values not understood.
    """
    top = _mapping("budget", content, {"models": _models})
    if not top.get("models"):
        raise errors.InputError(
            "A budget must have limits for at least one model, below `models`. "
            "Received: none. See examples/budget.yaml."
        )
    return Budget(models=top["models"])


_Reader = Callable[[str, Any], Any]


def _mapping(
    key: str, value: Any, readers: Mapping[str, _Reader]
) -> dict[str, Any]:
    """Reads a mapping whose keys are all known."""
    if not isinstance(value, dict) or not value:
        raise units.bad_value(key, f"a mapping of {', '.join(readers)}", value)
    unknown = [name for name in value if name not in readers]
    if unknown:
        raise errors.InputError(
            f"In the budget, `{key}` must have known keys only: "
            f"{', '.join(readers)}. Received: {unknown[0]!r}."
        )
    prefix = "" if key == "budget" else f"{key}."
    return {
        name: readers[name](prefix + name, item) for name, item in value.items()
    }


def _models(key: str, value: Any) -> dict[str, Limits]:
    if not isinstance(value, dict):
        raise units.bad_value(key, "a mapping from model to limits", value)
    return {
        units.text(key, name): Limits(
            **_mapping(f"{key}.{name}", item, _LIMITS)
        )
        for name, item in value.items()
    }


def _latency(key: str, value: Any) -> tuple[LatencyLimit, ...]:
    if not isinstance(value, list):
        return (LatencyLimit(max_ms=units.milliseconds(key, value)),)
    limits = []
    for index, item in enumerate(value):
        place = f"{key}[{index}]"
        found = _mapping(place, item, _LATENCY)
        if "max" not in found:
            raise units.bad_value(place, "a limit with the key `max`", item)
        limits.append(LatencyLimit(max_ms=found.pop("max"), **found))
    return tuple(limits)


def _accuracy(key: str, value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or not value:
        raise units.bad_value(key, "a mapping from metric to value", value)
    return {
        units.text(key, name): units.metric(f"{key}.{name}", item)
        for name, item in value.items()
    }


def _relative(key: str, value: Any) -> Relative:
    return Relative(**_mapping(key, value, _RELATIVE))


def _threads(key: str, value: Any) -> int:
    if units.count(key, value) == 0:
        raise units.bad_value(key, "at least 1", value)
    return int(value)


_LATENCY: dict[str, _Reader] = {
    "max": units.milliseconds,
    "device": units.text,
    "num_threads": _threads,
}
_RELATIVE: dict[str, _Reader] = {
    "latency": units.positive_increase,
    "accuracy": units.loss,
    "size": units.increase,
}
_LIMITS: dict[str, _Reader] = {
    "size_bytes": units.num_bytes,
    "latency_ms": _latency,
    "accuracy": _accuracy,
    "peak_memory_bytes": units.num_bytes,
    "partitions": units.count,
    "quantized_weight_fraction": units.fraction,
    "min_runtime_version": units.version,
    "relative": _relative,
}
