# SPDX-License-Identifier: Apache-2.0
"""One launch: a process that measures one `.tflite` and ends.

Run as `python -m tflite_opt.benchmark.launch SPEC`, with a JSON object; writes
an `.npz` to stdout. Excluded from the timed region: reading the inputs, setting
them and reading outputs. Included in an inference: the interpreter's `Invoke`,
the Python call around it, and reading the clock, which is measured and told.
Imports LiteRT and numpy, nothing else of weight.
"""

import array
import contextlib
import dataclasses
import datetime
import io
import json
import os
import pathlib
import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

import numpy as np

from tflite_opt import child_process
from tflite_opt.benchmark import local_machine, rapl, warm_up
from tflite_opt.tflite import runnable

_TIMING_REPEATS = 1001
# Threads that wait for Python must not wait for its default of 5 ms.
_SWITCH_INTERVAL_S = 1e-4


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Measured:
    """What one interpreter did; times in nanoseconds."""

    warmup_runs: int
    warmup_ns: int
    is_steady: bool
    samples: array.array
    wall_ns: int
    # Of the process: after the warm-up, and of all threads while sampling.
    resident_bytes: int
    cpu_ns: int
    power_mw: float


def main(arguments: list[str]) -> None:
    """Measures what the specification asks for and writes the result.

    Args:
        arguments: The specification that `launching.specification` makes.
    """
    # Whatever the runtime prints must not get between the bytes.
    with os.fdopen(os.dup(1), "wb") as stream:
        os.dup2(2, 1)
        child_process.end_with_parent()
        content = io.BytesIO()
        summary, samples = _measure(json.loads(arguments[0]))
        np.savez_compressed(
            content, summary=np.array(json.dumps(summary)), samples_ns=samples
        )
        stream.write(content.getbuffer())


def _measure(spec: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray]:
    """Returns the fields of the `Launch` and the samples in nanoseconds."""
    if spec["cpus"]:
        os.sched_setaffinity(0, spec["cpus"])
    started_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
    with np.load(spec["inputs"]) as stored:
        inputs = [stored[str(i)] for i in range(len(stored.files))]
    watch = local_machine.Watch()
    meter = rapl.Meter()
    idle_mw = meter.idle_power_mw() if meter.is_readable else 0.0
    timing_ns = _timing_ns()
    memory_before = _memory_bytes("VmHWM")

    start = time.perf_counter_ns()
    models = [_load(spec)]
    init_ns = time.perf_counter_ns() - start
    models[0].set_inputs(inputs)
    first_ns = _timed(models[0].invoke)
    for _ in range(1, spec["concurrency"]):
        models.append(_load(spec))
        models[-1].set_inputs(inputs)
    found = _run_all(models, spec, meter)

    samples = np.concatenate([np.array(x.samples, np.int64) for x in found])
    peak = _memory_bytes("VmHWM")
    summary = {
        "source": "tflite_opt.launch",
        "init_ms": init_ns / 1e6,
        "first_inference_ms": first_ns / 1e6,
        "warmup_runs": 1 + found[0].warmup_runs,
        "num_runs": len(samples),
        "median_ms": float(np.median(samples)) / 1e6,
        "peak_memory_bytes": peak,
        "model_memory_bytes": peak - memory_before,
        "partitions": models[0].count_partitions(),
        "started_at": started_at,
        "warmup_ms": (first_ns + found[0].warmup_ns) / 1e6,
        "is_steady": all(x.is_steady for x in found),
        "resident_memory_bytes": found[0].resident_bytes,
        "timing_ns": timing_ns,
        "throughput_per_s": sum(
            len(x.samples) * 1e9 / x.wall_ns for x in found
        ),
        "state": watch.stop().to_json(),
        **_consumption(found, idle_mw if meter.is_readable else None),
    }
    return summary, samples


def _consumption(
    found: list[_Measured], idle_mw: float | None
) -> dict[str, Any]:
    """Returns what one inference takes, if no other ran at the same time."""
    (only, *others) = found
    num_runs = len(only.samples)
    energy = None
    if idle_mw is not None and not others:
        energy = rapl.estimate(
            power_mw=only.power_mw,
            idle_power_mw=idle_mw,
            duration_s=only.wall_ns / 1e9,
            num_runs=num_runs,
        ).to_json()
    cpu_ms = None if others else only.cpu_ns / num_runs / 1e6
    return {"cpu_ms": cpu_ms, "energy": energy}


def _load(spec: dict[str, Any]) -> runnable.Runnable:
    return runnable.Runnable(
        spec["model"],
        delegate=spec["delegate"],
        num_threads=spec["num_threads"],
        subgraph=spec["subgraph"],
        input_tensors=spec["input_tensors"],
        input_shapes=spec["resized_to"],
    )


def _timing_ns() -> float:
    """Returns what it takes to time something that does nothing."""
    nothing = [_timed(lambda: None) for _ in range(_TIMING_REPEATS)]
    return float(np.median(nothing))


def _timed(function: Callable[[], None]) -> int:
    start = time.perf_counter_ns()
    function()
    return time.perf_counter_ns() - start


def _timed_after(delay_s: float, model: runnable.Runnable) -> int:
    if delay_s:
        time.sleep(delay_s)
    return _timed(model.invoke)


def _run_all(
    models: list[runnable.Runnable], spec: dict[str, Any], meter: rapl.Meter
) -> list[_Measured]:
    if len(models) == 1:
        return [_run(models[0], spec, meter, lambda: None)]
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # Timing starts when all are warm, so that all samples have company.
    barrier = threading.Barrier(len(models))
    with futures.ThreadPoolExecutor(len(models)) as pool:
        pending = [
            pool.submit(_run, model, spec, meter, barrier.wait)
            for model in models
        ]
        futures.wait(pending, return_when=futures.FIRST_EXCEPTION)
        # Nobody may wait for one that failed.
        barrier.abort()
        return [future.result() for future in pending]


def _run(
    model: runnable.Runnable,
    spec: dict[str, Any],
    meter: rapl.Meter,
    wait_for_others: Callable[[], object],
) -> _Measured:
    start = time.perf_counter_ns()
    runs, is_steady = _warm_up(model, spec)
    warmup_ns = time.perf_counter_ns() - start
    resident_bytes = _memory_bytes("VmRSS")
    with contextlib.suppress(threading.BrokenBarrierError):
        wait_for_others()
    energy, cpu_ns = meter.read(), time.process_time_ns()
    start = time.perf_counter_ns()
    samples = _sample(model, spec)
    wall_ns = time.perf_counter_ns() - start
    cpu_ns = time.process_time_ns() - cpu_ns
    return _Measured(
        warmup_runs=runs,
        warmup_ns=warmup_ns,
        is_steady=is_steady,
        samples=samples,
        wall_ns=wall_ns,
        resident_bytes=resident_bytes,
        cpu_ns=cpu_ns,
        power_mw=meter.power_mw(energy, meter.read()),
    )


def _warm_up(
    model: runnable.Runnable, spec: dict[str, Any]
) -> tuple[int, bool]:
    """Returns how many inferences were dropped, and whether it is steady."""
    steadiness = warm_up.Steadiness()
    runs, start = 0, time.perf_counter_ns()
    least = start + int(spec["warmup_min_secs"] * 1e9)
    most = start + int(spec["warmup_max_secs"] * 1e9)
    while (now := time.perf_counter_ns()) < most:
        is_enough = runs >= spec["warmup_runs"] and now >= least
        if is_enough and steadiness.is_steady:
            break
        steadiness.add(_timed_after(spec["run_delay"], model))
        runs += 1
    return runs, steadiness.is_steady


def _sample(model: runnable.Runnable, spec: dict[str, Any]) -> array.array:
    samples = array.array("q")
    start = time.perf_counter_ns()
    soak_ns = int(spec["soak_s"] * 1e9)
    num_runs = 1 if soak_ns else spec["num_runs"]
    least = start + (soak_ns or int(spec["min_secs"] * 1e9))
    most = start + (soak_ns or int(spec["max_secs"] * 1e9))
    while True:
        samples.append(_timed_after(spec["run_delay"], model))
        now = time.perf_counter_ns()
        if (len(samples) >= num_runs and now >= least) or now >= most:
            return samples


def _memory_bytes(field: str) -> int:
    # `ru_maxrss` of a new process starts from its parent's on Linux; VmHWM is
    # this process's own.
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(sys.argv[1:])
