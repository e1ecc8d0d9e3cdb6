# SPDX-License-Identifier: Apache-2.0
"""Times many `.tflite` in turns, in a process without TensorFlow.

Run as `python -m tflite_opt.tflite.timing JOB.json FD`. For choices that are
confirmed later: the figures have no interval; `benchmark/` gives one. Included
is the interpreter's `Invoke` and the Python call around it; excluded is
setting inputs, which are zeros, and reading outputs.
"""

import contextlib
import json
import math
import os
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from tflite_opt import child_process
from tflite_opt.records import errors
from tflite_opt.tflite import flatbuffer, runnable

# Turns of each file in a launch, and the least time and runs of a turn.
_TURNS = 5
_TURN_S = 0.01
_MIN_RUNS = 10
_TIMEOUT_S = 600.0


def fastest_ms(
    paths: Sequence[pathlib.Path], *, launches: int = 1
) -> tuple[float, ...]:
    """Returns the latency of each file with XNNPACK and one thread.

    Args:
        paths: Files with shapes of their own.
        launches: Number of processes, each of which runs all files.

    Returns:
        Milliseconds: the median over launches and turns of the fastest run of
        a turn. What else the machine does makes the others slower. NaN for a
        file that cannot be run.

    Raises:
        BenchmarkError: If the process dies.
    """
    found = [_launch(paths) for _ in range(launches)]
    return tuple(statistics.median(x) for x in zip(*found, strict=True))


def _launch(paths: Sequence[pathlib.Path]) -> list[float]:
    job = {"paths": [str(path) for path in paths]}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "job.json"
        path.write_text(json.dumps(job))
        try:
            (event,) = child_process.events(
                __name__, [str(path)], timeout_s=_TIMEOUT_S
            )
        except child_process.ChildError as error:
            raise errors.BenchmarkError(
                f"Latencies could not be measured: {error}."
            ) from error
    return list(event["fastest_ms"])


def _main(arguments: list[str]) -> None:
    child_process.end_with_parent()
    job = json.loads(pathlib.Path(arguments[0]).read_text())
    with os.fdopen(int(arguments[1]), "w") as stream:
        found = _measure(job["paths"])
        stream.write(json.dumps({"fastest_ms": found}) + "\n")


def _measure(paths: Sequence[str]) -> list[float]:
    models: dict[int, runnable.Runnable] = {}
    for index, path in enumerate(paths):
        with contextlib.suppress(RuntimeError, ValueError):
            model = _load(path)
            model.invoke()
            models[index] = model
    turns: dict[int, list[float]] = {index: [] for index in models}
    # The first turn warms up.
    for turn in range(1 + _TURNS):
        for index, model in models.items():
            fastest = _turn(model)
            if turn:
                turns[index].append(fastest)
    return [
        statistics.median(turns[index]) if index in turns else math.nan
        for index in range(len(paths))
    ]


def _load(path: str) -> runnable.Runnable:
    graph = flatbuffer.read(pathlib.Path(path)).subgraphs[0]
    model = runnable.Runnable(
        path,
        delegate="xnnpack",
        num_threads=1,
        subgraph=0,
        input_tensors=graph.inputs,
    )
    model.set_inputs(
        [
            np.zeros(graph.tensors[i].shape, graph.tensors[i].dtype)
            for i in graph.inputs
        ]
    )
    return model


def _turn(model: runnable.Runnable) -> float:
    """Returns the fastest of some runs in milliseconds."""
    samples: list[int] = []
    end = time.perf_counter_ns() + int(_TURN_S * 1e9)
    now = 0
    while now < end or len(samples) < _MIN_RUNS:
        start = time.perf_counter_ns()
        model.invoke()
        now = time.perf_counter_ns()
        samples.append(now - start)
    return min(samples) / 1e6


if __name__ == "__main__":
    _main(sys.argv[1:])
