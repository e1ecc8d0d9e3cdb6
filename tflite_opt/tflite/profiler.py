# SPDX-License-Identifier: Apache-2.0
"""Times each operation of a `.tflite`, through LiteRT's profiler.

Runs in this process: call it where a crash of the runtime is survived. The
profiler knows XNNPACK's operators, which are not TFLite's: fused, split and
renamed. A second run on the builtin kernels goes by TFLite's own.
"""

import collections
import ctypes
import pathlib
import time
from collections.abc import Sequence

import numpy as np

from tflite_opt.records import errors, op_profile
from tflite_opt.tflite import compiled_model, litert_library

# Types of events.
_DEFAULT, _OPERATOR, _DELEGATED_OPERATOR = 1, 2, 8
_INVOKE = b"Invoke"
# What the profiler's buffer holds; more are dropped without a word.
_MAX_EVENTS = 1 << 19
_WARMUP_RUNS = 5
_MIN_RUNS, _MAX_RUNS = 3, 1000
_DURATION_S = 0.5


def profile(
    path: pathlib.Path,
    inputs: Sequence[np.ndarray],
    *,
    kernels: op_profile.Kernels,
    num_threads: int = 1,
    signature: int = 0,
) -> op_profile.OpProfile:
    """Runs a file and returns what each operation took.

    Args:
        path: A `.tflite`.
        inputs: Of one inference, in the order of the signature.
        kernels: `xnnpack` or `builtin`.
        num_threads: At least 1.
        signature: Index of the signature; 0 also for the graph of a file
            without.

    Raises:
        ModelError: If this library has no profiler, or cannot run the file.
    """
    library = litert_library.Library()
    model = compiled_model.CompiledModel(
        library,
        path,
        kernels=kernels,
        num_threads=num_threads,
        signature=signature,
        enable_profiling=True,
    )
    model.set_inputs(inputs)
    profiler = library.make("CompiledModelGetProfiler", model.handle)

    def profiled(num_runs: int) -> Sequence[litert_library.Event]:
        return _profiled(library, profiler, model, num_runs)

    start = time.perf_counter()
    for _ in range(_WARMUP_RUNS):
        model.run()
    per_run_s = (time.perf_counter() - start) / _WARMUP_RUNS
    events_per_run = len(profiled(1))
    if not events_per_run:
        raise errors.ModelError(
            "The profiler must report operations. Received: none for "
            f"{str(path)!r}."
        )
    wanted = int(_DURATION_S / max(per_run_s, 1e-6))
    fitting = _MAX_EVENTS // events_per_run // 2
    num_runs = max(min(max(wanted, _MIN_RUNS), _MAX_RUNS, fitting), 1)
    return _summarize(profiled(num_runs), num_runs, kernels)


def _profiled(
    library: litert_library.Library,
    profiler: ctypes.c_void_p,
    model: compiled_model.CompiledModel,
    num_runs: int,
) -> Sequence[litert_library.Event]:
    """Returns the events of several runs."""
    library.call("ResetProfiler", profiler)
    library.call("StartProfiler", profiler)
    for _ in range(num_runs):
        model.run()
    library.call("StopProfiler", profiler)
    count = ctypes.c_int()
    library.call("GetNumProfilerEvents", profiler, ctypes.byref(count))
    events = (litert_library.Event * count.value)()
    library.call("GetProfilerEvents", profiler, count, events)
    return list(events)


def _summarize(
    events: Sequence[litert_library.Event],
    num_runs: int,
    kernels: op_profile.Kernels,
) -> op_profile.OpProfile:
    totals: dict[tuple[int, int, int, str], int] = collections.defaultdict(int)
    inference_us = 0
    for event in events:
        if event.type == _DEFAULT and event.tag == _INVOKE:
            inference_us += event.elapsed_us
        if event.type not in (_OPERATOR, _DELEGATED_OPERATOR):
            continue
        name = event.tag.decode(errors="replace")
        key = event.type, event.subgraph, event.index, name
        totals[key] += event.elapsed_us
    # A partition as a whole is an operation, too; its parts stand for it.
    parts = totals
    spent = sum(parts.values()) or 1
    return op_profile.OpProfile(
        kernels=kernels,
        num_runs=num_runs,
        inference_us=inference_us / num_runs,
        ops=tuple(
            op_profile.ProfiledOp(
                name=name,
                index=index,
                subgraph=subgraph,
                is_delegated=kind == _DELEGATED_OPERATOR,
                mean_us=us / num_runs,
                share=us / spent,
            )
            for (kind, subgraph, index, name), us in parts.items()
        ),
    )
