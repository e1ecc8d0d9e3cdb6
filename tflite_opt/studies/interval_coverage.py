# SPDX-License-Identifier: Apache-2.0
"""How often intervals over launches hold the truth, on simulated launches.

The truth is known there. Launches of two equally fast models are drawn in
rounds that share a state of the machine; an interval of their ratio should
hold 1 in 95 of 100 cases, and one of a single model the median launch.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from tflite_opt.benchmark import bootstrap_t, ratio, statistics
from tflite_opt.records import measurement
from tflite_opt.studies import study

TITLE = "Coverage of 95 % intervals over launches"
LAUNCHES = (4, 5, 10, 20)
_MARGIN = ratio.DEFAULT_MARGIN
_SLOWDOWN = 0.05
_MOST_WIDTH = 10.0
_MEDIAN_DRAWS = 200_000

_NOTES = """\
`steadied`, a bootstrap-t of the trimmed mean, is what `scripts.compare` and
`scripts.gate` use where launches took turns, `steadied_unpaired` where they
did not, and `one_model` the interval of a model's own latency;
`percentile_median` is what that was before. A cell is 4000 simulated
experiments unless its record says otherwise. Under `drift` launches follow
each other while the state of the machine moves: no interval of a single model
knows where it goes, and the ratio of two that took turns does not need to."""

Bounds = tuple[float, float]
Draw = Callable[[np.random.Generator, int], np.ndarray]
Method = Callable[[np.ndarray, np.ndarray, "Setup"], Bounds]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What is simulated.

    Attributes:
        repetitions: Experiments in each cell.
        num_resamples: Of each bootstrap.
        seed: Of launches and resamples.
    """

    repetitions: int
    num_resamples: int
    seed: int


def _lognormal(random: np.random.Generator, num_launches: int) -> np.ndarray:
    """Spread as between launches in the A-against-A experiment: 2.4 %."""
    return random.normal(0, 0.024, (2, num_launches)) + random.normal(
        0, 0.02, num_launches
    )


def _heavy_tails(random: np.random.Generator, num_launches: int) -> np.ndarray:
    """Student's t with two degrees of freedom: no finite variance."""
    return 0.015 * random.standard_t(2, (2, num_launches)) + random.normal(
        0, 0.02, num_launches
    )


def _slow_launches(
    random: np.random.Generator, num_launches: int
) -> np.ndarray:
    """15 % of the launches meet a busy machine, 10 % slower on average."""
    size = (2, num_launches)
    busy = random.random(size) < 0.15
    return random.normal(0, 0.01, size) + busy * random.exponential(0.1, size)


def _two_layouts(random: np.random.Generator, num_launches: int) -> np.ndarray:
    """Half of the launches get a memory layout that is 4 % slower."""
    size = (2, num_launches)
    return random.normal(0, 0.006, size) + 0.04 * (random.random(size) < 0.5)


def _drift(random: np.random.Generator, num_launches: int) -> np.ndarray:
    """The machine's state moves slowly, 1 % between launches besides."""
    state = random.normal(0, 0.02 / math.sqrt(1 - 0.9**2), num_launches)
    for index in range(1, num_launches):
        state[index] = 0.9 * state[index - 1] + random.normal(0, 0.02)
    return state + random.normal(0, 0.01, (2, num_launches))


SCENARIOS: dict[str, Draw] = {
    "lognormal": _lognormal,
    "heavy_tails": _heavy_tails,
    "slow_launches": _slow_launches,
    "two_layouts": _two_layouts,
    "drift": _drift,
}


def _around(location: bootstrap_t.Location) -> Bounds:
    width = location.half_width(statistics.ALPHA)
    return location.estimate - width, location.estimate + width


def _studentized(fraction: float, steadiness: float = 0.0) -> Method:
    def bounds(
        baseline: np.ndarray, candidate: np.ndarray, setup: Setup
    ) -> Bounds:
        return _around(
            bootstrap_t.one_sample(
                candidate - baseline,
                seed=setup.seed,
                num_resamples=setup.num_resamples,
                trimmed_fraction=fraction,
                steadiness=steadiness,
            )
        )

    return bounds


def _unpaired(
    baseline: np.ndarray, candidate: np.ndarray, setup: Setup
) -> Bounds:
    return _around(
        bootstrap_t.two_samples(
            baseline,
            candidate,
            seed=setup.seed,
            num_resamples=setup.num_resamples,
        )
    )


def _scipy(name: str, statistic: Callable[..., np.ndarray]) -> Method:
    from scipy import stats

    def bounds(
        baseline: np.ndarray, candidate: np.ndarray, setup: Setup
    ) -> Bounds:
        found = stats.bootstrap(
            (candidate - baseline,),
            statistic,
            n_resamples=setup.num_resamples,
            method=name,
            rng=np.random.default_rng(setup.seed),
        ).confidence_interval
        return float(found.low), float(found.high)

    return bounds


def _student_t(
    baseline: np.ndarray, candidate: np.ndarray, setup: Setup
) -> Bounds:
    from scipy import stats

    del setup
    found = stats.ttest_1samp(candidate - baseline, 0).confidence_interval()
    return float(found.low), float(found.high)


def ratio_methods() -> dict[str, Method]:
    """Returns the intervals of the log ratio of two models."""
    return {
        "percentile_median": _scipy("percentile", np.median),
        "bca_mean": _scipy("BCa", np.mean),
        "student_t": _student_t,
        "bootstrap_t_mean": _studentized(0.0),
        "bootstrap_t_trimmed": _studentized(bootstrap_t.TRIMMED_FRACTION),
        "steadied": _studentized(
            bootstrap_t.TRIMMED_FRACTION, bootstrap_t.STEADINESS
        ),
        "steadied_unpaired": _unpaired,
    }


def cells(setup: Setup) -> dict[str, study.Cell]:
    """Returns a cell for each scenario and number of launches."""

    def cell(draw: Draw, num_launches: int) -> study.Cell:
        return lambda: measure(draw, num_launches, setup)

    return {
        f"{name}.{num_launches}": cell(draw, num_launches)
        for name, draw in SCENARIOS.items()
        for num_launches in LAUNCHES
    }


def measure(draw: Draw, num_launches: int, setup: Setup) -> dict[str, float]:
    """Returns the figures of all methods on the same simulated launches."""
    random = np.random.default_rng(setup.seed)
    experiments = [draw(random, num_launches) for _ in range(setup.repetitions)]
    values: dict[str, float] = {}
    for name, method in ratio_methods().items():
        found = np.array([method(a, b, setup) for a, b in experiments])
        values |= {f"{name}.{k}": v for k, v in _figures(found).items()}
    # Of a single model the truth is the median launch.
    truth = np.median([draw(random, 10)[0] for _ in range(_MEDIAN_DRAWS // 10)])
    values["one_model.coverage"] = float(
        np.mean([_holds(a, float(truth), setup) for a, _ in experiments])
    )
    return values


def _figures(bounds: np.ndarray) -> dict[str, float]:
    low, high = bounds.T
    # The plain bootstrap-t of few launches may have no bounds at all.
    width = np.fmin((high - low) / 2, _MOST_WIDTH)
    slower = low + math.log1p(_SLOWDOWN) > math.log1p(_MARGIN)
    outside = (low > math.log1p(_MARGIN)) | (high < math.log1p(-_MARGIN))
    return {
        "coverage": float(np.mean((low <= 0) & (high >= 0))),
        "half_width": float(np.median(width)),
        "wide_half_width": float(np.quantile(width, 0.9)),
        "found": float(np.mean(slower)),
        "false_verdicts": float(np.mean(outside)),
    }


def _holds(logs: np.ndarray, truth: float, setup: Setup) -> bool:
    low, high = statistics.median_interval(
        np.exp(logs), seed=setup.seed, num_resamples=setup.num_resamples
    )
    return low is None or high is None or low <= math.exp(truth) <= high


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Yields the tables, a line for each cell."""
    yield _NOTES
    for figure, title in (
        ("coverage", "Coverage of the true ratio"),
        ("half_width", "Median half-width of the interval of the log ratio"),
        (
            "wide_half_width",
            "90th percentile of the half-width, at most 1000 %",
        ),
        ("found", "Found: a candidate 5 % slower, beyond the margin of 3 %"),
        ("false_verdicts", "False verdicts: equal models called different"),
    ):
        names = [f"{method}.{figure}" for method in ratio_methods()]
        if figure == "coverage":
            names.append("one_model.coverage")
        labels = [name.removesuffix(f".{figure}") for name in names]
        yield from ("", f"## {title}", "")
        yield f"| launches | {' | '.join(labels)} |"
        yield f"|---|{'---:|' * len(names)}"
        for cell, record in found.items():
            yield f"| {cell} | {' | '.join(_row(record, names))} |"


def _row(record: measurement.Measurement | None, names: list[str]) -> list[str]:
    if record is None:
        return ["missing", *[""] * (len(names) - 1)]
    return [f"{record.values[name]:.1%}" for name in names]
