# SPDX-License-Identifier: Apache-2.0
"""Whether two latencies may be compared at all."""

import dataclasses

from tflite_opt.records import benchmark, errors

# None of them changes what a single launch measures.
_MAY_DIFFER = ("launches", "timeout_s", "check")


def require_comparable(
    baseline: benchmark.BenchmarkResult, candidate: benchmark.BenchmarkResult
) -> None:
    """Refuses results of different devices, runtimes, tools or options.

    Raises:
        InputError: Naming each field that differs.
    """
    found = differences(baseline, candidate)
    if found:
        raise errors.InputError(
            "Latencies can be compared only where device, runtime, tool and "
            f"options are the same. Received: {baseline.artifact.name!r} and "
            f"{candidate.artifact.name!r} with {'; '.join(found)}. Measure "
            "both in one go: python -m scripts.compare A.tflite B.tflite."
        )


def differences(
    baseline: benchmark.BenchmarkResult, candidate: benchmark.BenchmarkResult
) -> list[str]:
    """Returns what differs between the conditions of two results.

    Returns:
        `field=one against other` for each field that matters.
    """
    first, second = _conditions(baseline), _conditions(candidate)
    return [
        f"{name}={value} against {second[name]}"
        for name, value in first.items()
        if value != second[name]
    ]


def tool(result: benchmark.BenchmarkResult) -> str:
    """Returns what measured the launches."""
    sources = dict.fromkeys(launch.source for launch in result.launches)
    return ", ".join(sources) or "nothing"


def _conditions(result: benchmark.BenchmarkResult) -> dict[str, object]:
    return {
        **_fields("device", result.device),
        "runtime": result.runtime,
        "tool": tool(result),
        **_fields("options", result.options),
    }


def _fields(
    name: str, record: benchmark.DeviceInfo | benchmark.RuntimeOptions
) -> dict[str, object]:
    return {
        f"{name}.{field.name}": getattr(record, field.name)
        for field in dataclasses.fields(record)
        if field.name not in _MAY_DIFFER
    }
