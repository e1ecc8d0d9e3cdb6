# SPDX-License-Identifier: Apache-2.0
"""This harness, another tool and a plain loop on the same files, in one run.

Each round launches this harness, the tool, a loop of C, and this harness
again, in random order: the ratio of the two launches of this harness is the
noise that any other ratio is in.
"""

import pathlib
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from tflite_opt.benchmark import desktop, statistics, tool_runner
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, measurement
from tflite_opt.studies import native_loop, study

TITLE = "This harness beside litert-benchmark and a loop of C"
# Layers and rows of generated models, from 50 us to 50 ms on a desktop's core.
SIZES = ((2, 32), (20, 32), (20, 320), (20, 3200))
# Fixed counts, because the tool knows no durations.
_OPTIONS = benchmark.RuntimeOptions(
    launches=1,
    warmup_runs=20,
    warmup_min_secs=0.0,
    num_runs=200,
    min_secs=0.0,
    check=False,
)
_TOOL_OPTIONS = benchmark.RuntimeOptions(
    launches=1, warmup_runs=20, num_runs=200
)
# Side to the name of its ratio to ours.
_OTHERS = {"loop": "loop", "tool": "tool", "ours_again": "noise"}
_SIDES = ("ours", *_OTHERS)

# Launches a side on a file, with a place of its own, and returns its median.
Launch = Callable[[artifact_record.Artifact, pathlib.Path], float]
_STEP_MS = 0.01

# What a result of this harness holds and one of litert-benchmark does not.
DOES_NOT_TELL = (
    "single samples, so neither p90 nor p99 over all launches",
    "how much launches differ: it is one process, and no interval",
    "times finer than 0.01 ms, on screen and in its JSON file",
    "whether the latency was steady after the warm-up; it counts runs only",
    "resident and peak memory",
    "how many delegate nodes there are; only whether all is accelerated",
    "the builtin kernels: XNNPACK cannot be switched off",
    "models whose inputs are indices: random ones from -128 to 127 fail",
    "the same inputs again: they have no seed and cannot be given",
)


def cells(
    artifacts: Sequence[artifact_record.Artifact],
    binary: pathlib.Path,
    rounds: int,
) -> dict[str, study.Cell]:
    """Returns a cell for each file.

    Args:
        artifacts: The `.tflite` files.
        binary: The program `litert-benchmark`.
        rounds: How often all sides are launched.
    """
    ours = _runner(desktop.DesktopRunner(), _OPTIONS)
    sides = {
        "ours": ours,
        "loop": _loop,
        "tool": _runner(
            tool_runner.BenchmarkModelRunner(binary), _TOOL_OPTIONS
        ),
        "ours_again": ours,
    }

    def cell(artifact: artifact_record.Artifact) -> study.Cell:
        return lambda: measure(artifact, sides, rounds)

    return {artifact.name: cell(artifact) for artifact in artifacts}


def _runner(
    runner: benchmark.Runner, options: benchmark.RuntimeOptions
) -> Launch:
    def launch(
        artifact: artifact_record.Artifact, place: pathlib.Path
    ) -> float:
        (found,) = runner.run([artifact], options, place)
        if isinstance(found, benchmark.BenchmarkFailure):
            raise errors.BenchmarkError(found.message)
        return found.median_ms

    return launch


def _loop(artifact: artifact_record.Artifact, place: pathlib.Path) -> float:
    return native_loop.launch(
        artifact.path, _OPTIONS.warmup_runs, _OPTIONS.num_runs
    )


def measure(
    artifact: artifact_record.Artifact,
    sides: Mapping[str, Launch],
    rounds: int,
) -> dict[str, float]:
    """Measures one file in interleaved launches.

    Raises:
        BenchmarkError: If a launch fails.
    """
    medians: dict[str, list[float]] = {side: [] for side in _SIDES}
    order = random.Random(_OPTIONS.seed)
    with tempfile.TemporaryDirectory() as folder:
        for index in range(rounds):
            for side in order.sample(_SIDES, len(_SIDES)):
                place = pathlib.Path(folder) / f"{side}.{index}"
                medians[side].append(sides[side](artifact, place))
    return _figures({side: np.array(x) for side, x in medians.items()})


def _figures(medians: Mapping[str, np.ndarray]) -> dict[str, float]:
    values = {
        "ours_median_ms": float(np.median(medians["ours"])),
        "loop_median_ms": float(np.median(medians["loop"])),
        "tool_median_ms": float(np.median(medians["tool"])),
    }
    for side, name in _OTHERS.items():
        ratios = medians[side] / medians["ours"]
        low, high = statistics.median_interval(ratios, seed=_OPTIONS.seed)
        values[f"{name}_ratio"] = float(np.median(ratios))
        values[f"{name}_ratio_least"] = float(ratios.min())
        values[f"{name}_ratio_most"] = float(ratios.max())
        if low is not None and high is not None:
            values[f"{name}_ratio_low"] = low
            values[f"{name}_ratio_high"] = high
    return values | {"tool_step_fraction": _STEP_MS / values["tool_median_ms"]}


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Returns the page's body: the table, and what the tool does not tell."""
    yield (
        "| model | ours ms | loop of C, ms | its ratio to ours (95 %) | "
        "litert-benchmark ms | its ratio to ours (95 %) | its rounding | "
        "ours to ours (95 %) |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, record in found.items():
        if record is None:
            yield f"| {name} | missing | | | | | | |"
            continue
        values = record.values
        yield (
            f"| {name} | {values['ours_median_ms']:.4g} | "
            f"{values['loop_median_ms']:.4g} | {_ratio(values, 'loop')} | "
            f"{values['tool_median_ms']:.4g} | {_ratio(values, 'tool')} | "
            f"±{values['tool_step_fraction'] / 2:.1%} | "
            f"{_ratio(values, 'noise')} |"
        )
    yield ""
    yield (
        f"Medians of {_OPTIONS.num_runs} runs after {_OPTIONS.warmup_runs} in "
        "each launch. The loop calls LiteRtRunCompiledModel and reads the "
        "clock, no more. litert-benchmark's inputs are random from -1 to 1, "
        "ours seeded; it times CompiledModel.run_by_name, we "
        "Interpreter.invoke, which costs less. Where its rounding is wider "
        "than its interval, the interval means nothing."
    )
    yield ""
    yield "litert-benchmark does not tell"
    yield ""
    yield from (f"- {item}" for item in DOES_NOT_TELL)


def _ratio(values: Mapping[str, float], name: str) -> str:
    text = f"{values[f'{name}_ratio']:.3f}"
    if f"{name}_ratio_low" in values:
        text += (
            f" ({values[f'{name}_ratio_low']:.3f}-"
            f"{values[f'{name}_ratio_high']:.3f})"
        )
    return text
