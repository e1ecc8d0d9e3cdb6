# SPDX-License-Identifier: Apache-2.0
"""Compares models that were measured and perhaps evaluated."""

import dataclasses
from collections.abc import Mapping, Sequence

from tflite_opt.benchmark import ratio
from tflite_opt.comparison import accuracy, comparable, stored
from tflite_opt.evaluation import evaluate
from tflite_opt.records import benchmark, comparison, errors, evaluation

Pair = tuple[stored.Evidence, stored.Evidence]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How to judge.

    Attributes:
        margin: Differences of latency up to this fraction do not matter.
        max_accuracy_drop: Largest acceptable loss of the primary metric, a
            fraction; of the baseline's value if the metric itself is none.
    """

    margin: float = ratio.DEFAULT_MARGIN
    max_accuracy_drop: float = 0.005

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a value is out of its range.
        """
        if not 0 < self.margin < 1:
            raise errors.InputError(
                "`margin` must be a fraction in (0, 1). "
                f"Received: margin={self.margin}. Three percent are 0.03."
            )
        # Of an evaluation the limit has the same rule.
        evaluate.Options(max_accuracy_drop=self.max_accuracy_drop)


def match(
    baseline: Mapping[str, stored.Evidence],
    candidate: Mapping[str, stored.Evidence],
) -> list[Pair]:
    """Returns the models that both sides have, by device and threads.

    Args:
        baseline: By name; a single one is compared with a single candidate
            whatever they are called.
        candidate: Likewise.

    Raises:
        InputError: If they have none in common.
    """
    if len(baseline) == len(candidate) == 1:
        (before,), (after,) = baseline.values(), candidate.values()
        return _by_threads(before, after)
    common = [name for name in baseline if name in candidate]
    if not common:
        raise errors.InputError(
            "Both sides must have a model of the same name. Received: "
            f"{', '.join(baseline)} and {', '.join(candidate)}."
        )
    return [
        pair
        for name in common
        for pair in _by_threads(baseline[name], candidate[name])
    ]


def _by_threads(before: stored.Evidence, after: stored.Evidence) -> list[Pair]:
    """Returns a pair for each device and number of threads, else the first."""
    pairs = [
        (
            dataclasses.replace(before, result=first, sweep=()),
            dataclasses.replace(after, result=second, sweep=()),
        )
        for first in before.results
        for second in after.results
        if first.options.num_threads == second.options.num_threads
        and first.device.device_key == second.device.device_key
    ]
    return pairs or [(before, after)]


def compare(
    pairs: Sequence[Pair],
    options: Options,
    again: benchmark.BenchmarkResult | None = None,
) -> list[comparison.Comparison]:
    """Compares the measured ones of several models, looked at together.

    Args:
        pairs: Baseline and candidate; both must be measured.
        options: How.
        again: A second measurement of the first baseline, for the noise
            floor.

    Raises:
        InputError: If two were measured under different conditions, or the
            margin is below the noise floor.
        DataError: If predictions were changed since.
    """
    results = [measured(pair) for pair in pairs]
    floor = _noise_floor(results[0][0], again, options.margin)
    ratios = ratio.compare(
        [launches(*both, margin=options.margin) for both in results]
    )
    return [
        _join(pair, found, options, floor)
        for pair, found in zip(pairs, ratios, strict=True)
    ]


def measured(
    pair: Pair,
) -> tuple[benchmark.BenchmarkResult, benchmark.BenchmarkResult]:
    """Returns the benchmarks of both.

    Raises:
        InputError: If one of them has none.
    """
    before, after = pair
    return _result("baseline", before), _result("candidate", after)


def _result(side: str, found: stored.Evidence) -> benchmark.BenchmarkResult:
    if found.result is None:
        reason = found.failure.message if found.failure else "no benchmark."
        raise errors.InputError(
            f"The {side} must be measured. "
            f"Received: {found.artifact.name!r}: {reason}"
        )
    return found.result


def launches(
    baseline: benchmark.BenchmarkResult,
    candidate: benchmark.BenchmarkResult,
    *,
    margin: float = ratio.DEFAULT_MARGIN,
) -> ratio.Pair:
    """Returns the launches of two results as a pair.

    Raises:
        InputError: If they were measured under different conditions, or by a
            tool that prints no median.
    """
    comparable.require_comparable(baseline, candidate)
    for result in (baseline, candidate):
        _ = result.median_ms  # Raises where the tool printed none.
    return ratio.Pair(
        baseline=baseline.launches,
        candidate=candidate.launches,
        margin=margin,
        seed=baseline.options.seed,
    )


def _noise_floor(
    baseline: benchmark.BenchmarkResult,
    again: benchmark.BenchmarkResult | None,
    margin: float,
) -> float | None:
    if again is None:
        return None
    floor = ratio.noise_floor(launches(baseline, again))
    if floor is not None and margin < floor:
        raise errors.InputError(
            "`margin` must not be below the noise floor, which is what the "
            "baseline against itself leaves possible. Received: "
            f"margin={margin:g}, noise floor {floor:.2%}. Raise --margin, or "
            "--launches."
        )
    return floor


def _join(
    pair: Pair,
    found: comparison.LatencyRatio,
    options: Options,
    floor: float | None,
) -> comparison.Comparison:
    before, after = measured(pair)
    drop, notes = _drop(pair, options.max_accuracy_drop)
    if found.pairing == "none":
        notes.append(
            "Launches did not take turns: what changed on the machine in "
            "between counts as a difference."
        )
    for result in (before, after):
        notes += [f"{result.artifact.name}: {x}" for x in result.warnings]
    return comparison.Comparison(
        baseline=before.artifact,
        candidate=after.artifact,
        device=before.device,
        options=before.options,
        runtime=before.runtime,
        latency=found,
        quantities=_quantities(before, after),
        drop=drop,
        noise_floor=floor,
        warnings=tuple(dict.fromkeys(notes)),
    )


def _drop(
    pair: Pair, max_accuracy_drop: float
) -> tuple[evaluation.MetricDrop | None, list[str]]:
    """Returns the paired loss, or why there is none."""
    before, after = (found.evaluation for found in pair)
    if before is None or after is None:
        return None, []
    if before.data_fingerprint != after.data_fingerprint:
        return None, [
            f"Accuracy was not compared: {before.dataset}/{before.split} and "
            f"{after.dataset}/{after.split} are different examples."
        ]
    return accuracy.paired_drop(before, after, max_accuracy_drop), []


def _quantities(
    before: benchmark.BenchmarkResult, after: benchmark.BenchmarkResult
) -> tuple[comparison.Quantity, ...]:
    first, second = _numbers(before), _numbers(after)
    return tuple(
        comparison.Quantity(name=name, baseline=value, candidate=second[name])
        for name, value in first.items()
    )


def _numbers(result: benchmark.BenchmarkResult) -> dict[str, float | None]:
    latency = result.latency
    return {
        "median_ms": latency.median_ms,
        "min_ms": latency.min_ms,
        "p90_ms": latency.p90_ms,
        "p99_ms": latency.p99_ms,
        "init_ms": result.init_ms,
        "first_inference_ms": result.first_inference_ms,
        "peak_memory_bytes": result.peak_memory_bytes,
        "size_bytes": result.artifact.size_bytes,
        "gzip_bytes": result.artifact.gzip_bytes,
        "partitions": result.partitions,
    }
