# SPDX-License-Identifier: Apache-2.0
"""One launch: a process that measures one `.tflite` and ends.

Run as `python -m tflite_opt.benchmark.launch SPEC.json RESULT.npz`. Excluded
from the timed region: making the inputs, setting them and reading outputs.
Included in an inference: the interpreter's `invoke` and the Python call around
it. Imports LiteRT and numpy, nothing else of weight.
"""

import datetime
import json
import pathlib
import resource
import sys
import time

import numpy as np
from ai_edge_litert import interpreter as litert


def main(arguments: list[str]) -> None:
    """Measures what the specification asks for and writes the result.

    Args:
        arguments: Path of a JSON object with `model` and the fields of
            `RuntimeOptions`; path of the `.npz` to write.
    """
    spec = json.loads(pathlib.Path(arguments[0]).read_text())
    started_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
    memory_before = _peak_memory_bytes()

    start = time.perf_counter_ns()
    model = _load(spec)
    init_ns = time.perf_counter_ns() - start

    _set_inputs(model, spec["seed"])
    first_ns = _timed_invoke(model)
    warmup_runs = 1 + _warm_up(model, spec)
    samples = _measure(model, spec)
    summary = {
        "source": "tflite_opt.launch",
        "init_ms": init_ns / 1e6,
        "first_inference_ms": first_ns / 1e6,
        "warmup_runs": warmup_runs,
        "num_runs": len(samples),
        "median_ms": float(np.median(samples)) / 1e6,
        "peak_memory_bytes": _peak_memory_bytes(),
        "model_memory_bytes": _peak_memory_bytes() - memory_before,
        "partitions": _count_partitions(model),
        "started_at": started_at,
    }
    np.savez_compressed(
        arguments[1], samples_ns=samples, summary=json.dumps(summary)
    )


def _load(spec: dict) -> litert.Interpreter:
    kinds = litert.OpResolverType
    model = litert.Interpreter(
        model_path=spec["model"],
        num_threads=spec["num_threads"],
        experimental_op_resolver_type=(
            kinds.AUTO
            if spec["delegate"] == "xnnpack"
            else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    model.allocate_tensors()
    return model


def _set_inputs(model: litert.Interpreter, seed: int) -> None:
    """Fills inputs with seeded values that are typical for their dtype."""
    random = np.random.default_rng(seed)
    for detail in model.get_input_details():
        shape, dtype = detail["shape"], np.dtype(detail["dtype"])
        if dtype.kind == "f":
            values = random.uniform(0, 1, shape).astype(dtype)
        elif dtype in (np.dtype(np.int8), np.dtype(np.uint8)):
            limits = np.iinfo(dtype)
            values = random.integers(
                limits.min, limits.max, shape, dtype, endpoint=True
            )
        else:
            # Indices: 0 is valid in every table.
            values = np.zeros(shape, dtype)
        model.set_tensor(detail["index"], values)


def _count_partitions(model: litert.Interpreter) -> int:
    # `_get_ops_details` would also decode the names of all tensors.
    native = model._interpreter
    nodes = [native.NodeName(i) for i in range(native.NumNodes())]
    return nodes.count("DELEGATE")


def _timed_invoke(model: litert.Interpreter) -> int:
    start = time.perf_counter_ns()
    model.invoke()
    return time.perf_counter_ns() - start


def _warm_up(model: litert.Interpreter, spec: dict) -> int:
    runs = 0
    end = time.perf_counter_ns() + int(spec["warmup_min_secs"] * 1e9)
    while runs < spec["warmup_runs"] or time.perf_counter_ns() < end:
        model.invoke()
        runs += 1
    return runs


def _measure(model: litert.Interpreter, spec: dict) -> np.ndarray:
    samples = []
    start = time.perf_counter_ns()
    least = start + int(spec["min_secs"] * 1e9)
    most = start + int(spec["max_secs"] * 1e9)
    while True:
        samples.append(_timed_invoke(model))
        now = time.perf_counter_ns()
        enough = len(samples) >= spec["num_runs"] and now >= least
        if enough or now >= most:
            return np.array(samples, np.int64)


def _peak_memory_bytes() -> int:
    # `ru_maxrss` of a new process starts from its parent's on Linux; VmHWM is
    # this process's own.
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(sys.argv[1:])
