# SPDX-License-Identifier: Apache-2.0
"""How often a comparison is right, on this machine.

A model against itself must not be called faster or slower, and against one
with one layer in twenty more it should be. A cell is one comparison, made as
`scripts.compare` makes it; its seed is the study's plus its number.
"""

import dataclasses
import pathlib
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence

from tflite_opt import intervals
from tflite_opt.benchmark import desktop, ratio
from tflite_opt.comparison import compare
from tflite_opt.records import artifact, benchmark, errors, measurement
from tflite_opt.records import comparison as comparison_record
from tflite_opt.studies import equal_layers, study

TITLE = "Verdicts of comparisons whose answer is known"
AGAINST_ITSELF = "against_itself"
AGAINST_SLOWER = "against_slower"
# One layer more is 5 % more work.
_LAYERS = 20
_VERDICTS = ("no difference", "inconclusive", "faster", "slower")
# Which verdicts the rate of an experiment counts.
_COUNTED = {
    AGAINST_ITSELF: ("false verdicts", ("faster", "slower")),
    AGAINST_SLOWER: ("found", ("slower",)),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What is compared.

    Attributes:
        baseline: The model.
        slower: The same with known extra work.
        options: Of each comparison; the seed is that of the first one.
        margin: Of the verdicts.
        comparisons: How many of each experiment.
    """

    baseline: artifact.Artifact
    slower: artifact.Artifact
    options: benchmark.RuntimeOptions
    margin: float
    comparisons: Mapping[str, int]


def prepare_in_child(
    folder: pathlib.Path,
) -> tuple[artifact.Artifact, artifact.Artifact]:
    """Makes the two models, in a process that imports TensorFlow."""
    sizes = [(n, equal_layers.ROWS) for n in (_LAYERS, _LAYERS + 1)]
    baseline, slower = equal_layers.prepare_in_child(folder, sizes)
    return baseline, slower


def cells(setup: Setup) -> dict[str, study.Cell]:
    """Returns a cell for each comparison."""
    others = {
        AGAINST_ITSELF: dataclasses.replace(
            setup.baseline, name=f"{setup.baseline.name}.again"
        ),
        AGAINST_SLOWER: setup.slower,
    }

    def cell(other: artifact.Artifact, index: int) -> study.Cell:
        return lambda: measure(other, index, setup)

    return {
        f"{experiment}.{index:03}": cell(others[experiment], index)
        for experiment, count in setup.comparisons.items()
        for index in range(count)
    }


def measure(
    other: artifact.Artifact, index: int, setup: Setup
) -> dict[str, float]:
    """Makes one comparison.

    Raises:
        BenchmarkError: If one of the two could not be measured.
    """
    options = dataclasses.replace(
        setup.options, seed=setup.options.seed + index
    )
    with tempfile.TemporaryDirectory() as folder:
        before, after = (
            _result(outcome)
            for outcome in desktop.DesktopRunner().run(
                [setup.baseline, other], options, pathlib.Path(folder)
            )
        )
    pair = compare.launches(before, after, margin=setup.margin)
    (found,) = ratio.compare([pair])
    return _values(found, options)


def _result(
    outcome: benchmark.BenchmarkResult | benchmark.BenchmarkFailure,
) -> benchmark.BenchmarkResult:
    if isinstance(outcome, benchmark.BenchmarkFailure):
        raise errors.BenchmarkError(outcome.message)
    return outcome


def _values(
    found: comparison_record.LatencyRatio, options: benchmark.RuntimeOptions
) -> dict[str, float]:
    """Returns the verdict as the index in `_VERDICTS`; what is None is out."""
    values = {
        "ratio": found.value,
        "low": found.low,
        "high": found.high,
        "verdict": _VERDICTS.index(found.verdict),
        "launches": found.num_launches,
        "launches_needed": found.launches_needed,
        "margin": found.margin,
        "seed": options.seed,
    }
    return {k: float(v) for k, v in values.items() if v is not None}


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Yields the rates, then a line for each comparison."""
    yield (
        "| experiment | done | missing | "
        + " | ".join(_VERDICTS)
        + " | counted | rate | 95 % Clopper-Pearson | launches needed |"
    )
    yield "|---|---:|---:|" + "---:|" * len(_VERDICTS) + "---|---:|---:|---:|"
    for experiment in _COUNTED:
        records = [
            record
            for cell, record in found.items()
            if cell.startswith(f"{experiment}.")
        ]
        yield _rate(experiment, records)
    yield ""
    yield "Launches needed are the median over what was inconclusive."
    yield ""
    yield "| comparison | ratio | low | high | verdict | launches needed |"
    yield "|---|---:|---:|---:|---|---:|"
    for cell, record in found.items():
        yield _line(cell, record)


def _rate(
    experiment: str, records: Sequence[measurement.Measurement | None]
) -> str:
    done = [record.values for record in records if record]
    verdicts = [_VERDICTS[int(values["verdict"])] for values in done]
    label, counted = _COUNTED[experiment]
    hits = sum(verdict in counted for verdict in verdicts)
    rate, bounds = "missing", ""
    if done:
        low, high = intervals.clopper_pearson(hits, len(done))
        rate, bounds = f"{hits / len(done):.1%}", f"{low:.1%}-{high:.1%}"
    needed = [
        values["launches_needed"]
        for values in done
        if "launches_needed" in values
    ]
    cells = [
        experiment,
        len(done),
        len(records) - len(done),
        *(verdicts.count(verdict) for verdict in _VERDICTS),
        label,
        rate,
        bounds,
        f"{statistics.median(needed):g}" if needed else "",
    ]
    return f"| {' | '.join(map(str, cells))} |"


def _line(cell: str, record: measurement.Measurement | None) -> str:
    if record is None:
        return f"| {cell} | missing | | | | |"
    values = record.values
    numbers = [
        f"{values[name]:.4f}" if name in values else ""
        for name in ("ratio", "low", "high")
    ]
    verdict = _VERDICTS[int(values["verdict"])]
    needed = (
        f"{values['launches_needed']:g}" if "launches_needed" in values else ""
    )
    return f"| {' | '.join([cell, *numbers, verdict, needed])} |"
