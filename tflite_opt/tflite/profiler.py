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
from tflite_opt.tflite import litert_library

_CPU = 1
_WRITE = 1
# Types of events.
_DEFAULT, _OPERATOR, _DELEGATED_OPERATOR = 1, 2, 8
_INVOKE = b"Invoke"
# What the profiler's buffer holds; more are dropped without a word.
_MAX_EVENTS = 1 << 19
_WARMUP_RUNS = 5
_MIN_RUNS, _MAX_RUNS = 3, 1000
_DURATION_S = 0.5
# Unknown keys are ignored, and the flags replace the defaults, of which these
# two let XNNPACK take int8 and uint8.
_OPTIONS = {
    "xnnpack": "num_threads = {}\nflags = 3\n",
    "builtin": 'num_threads = {}\nkernel_mode = "builtin"\n',
}


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
    model = _CompiledModel(library, path, kernels, num_threads, signature)
    model.set_inputs(inputs)
    start = time.perf_counter()
    for _ in range(_WARMUP_RUNS):
        model.run()
    per_run_s = (time.perf_counter() - start) / _WARMUP_RUNS
    events_per_run = len(model.profiled(1))
    if not events_per_run:
        raise errors.ModelError(
            "The profiler must report operations. Received: none for "
            f"{str(path)!r}."
        )
    wanted = int(_DURATION_S / max(per_run_s, 1e-6))
    fitting = _MAX_EVENTS // events_per_run // 2
    num_runs = max(min(max(wanted, _MIN_RUNS), _MAX_RUNS, fitting), 1)
    return _summarize(model.profiled(num_runs), num_runs, kernels)


class _CompiledModel:
    """A file compiled for profiling, with buffers for its tensors."""

    def __init__(
        self,
        library: litert_library.Library,
        path: pathlib.Path,
        kernels: op_profile.Kernels,
        num_threads: int,
        signature: int,
    ) -> None:
        self._library = library
        self._index = ctypes.c_size_t(signature)
        self._environment = library.make("CreateEnvironment", 0, None)
        model = library.make(
            "CreateModelFromFile", self._environment, str(path).encode()
        )
        options = library.make("CreateOptions")
        library.call("SetOptionsHardwareAccelerators", options, _CPU)
        library.add_options(
            options, "xnnpack", _OPTIONS[kernels].format(num_threads)
        )
        library.add_options(
            options, "runtime_options_string", "enable_profiling = true\n"
        )
        self._compiled = library.make(
            "CreateCompiledModel", self._environment, model, options
        )
        self._signature = library.make("GetModelSignature", model, self._index)
        self._profiler = library.make(
            "CompiledModelGetProfiler", self._compiled
        )
        self._inputs: list[ctypes.c_void_p] = []
        self._outputs: list[ctypes.c_void_p] = []

    def set_inputs(self, inputs: Sequence[np.ndarray]) -> None:
        """Sets shapes and values of the inputs, and makes room for outputs."""
        library = self._library
        for i, values in enumerate(inputs):
            sizes = (ctypes.c_int * values.ndim)(*values.shape)
            kind = self._type("Input", i)
            layout = self._input_layout(i)
            if tuple(layout.dimensions[: layout.rank]) != values.shape:
                library.call(
                    "CompiledModelResizeInputTensorNonStrict",
                    self._compiled,
                    self._index,
                    ctypes.c_size_t(i),
                    sizes,
                    ctypes.c_size_t(values.ndim),
                )
            kind.layout = self._input_layout(i)
            self._inputs.append(self._buffer("Input", i, kind))
            self._write(self._inputs[-1], values)
        count = library.count("GetNumSignatureOutputs", self._signature)
        layouts = (litert_library.Layout * count)()
        library.call(
            "GetCompiledModelOutputTensorLayouts",
            self._compiled,
            self._index,
            ctypes.c_size_t(count),
            layouts,
            ctypes.c_bool(True),
        )
        for i in range(count):
            kind = self._type("Output", i)
            kind.layout = layouts[i]
            self._outputs.append(self._buffer("Output", i, kind))

    def _type(self, side: str, i: int) -> litert_library.TensorType:
        tensor = self._library.make(
            f"GetSignature{side}TensorByIndex",
            self._signature,
            ctypes.c_size_t(i),
        )
        kind = litert_library.TensorType()
        self._library.call("GetRankedTensorType", tensor, ctypes.byref(kind))
        return kind

    def _input_layout(self, i: int) -> litert_library.Layout:
        layout = litert_library.Layout()
        self._library.call(
            "GetCompiledModelInputTensorLayout",
            self._compiled,
            self._index,
            ctypes.c_size_t(i),
            ctypes.byref(layout),
        )
        return layout

    def _buffer(
        self, side: str, i: int, kind: litert_library.TensorType
    ) -> ctypes.c_void_p:
        needs = self._library.make(
            f"GetCompiledModel{side}BufferRequirements",
            self._compiled,
            self._index,
            ctypes.c_size_t(i),
        )
        return self._library.make(
            "CreateManagedTensorBufferFromRequirements",
            self._environment,
            ctypes.byref(kind),
            needs,
        )

    def _write(self, buffer: ctypes.c_void_p, values: np.ndarray) -> None:
        address = litert_library.pointer()
        self._library.call(
            "LockTensorBuffer", buffer, ctypes.byref(address), _WRITE
        )
        content = values.tobytes()
        if address.value:
            ctypes.memmove(address, content, len(content))
        self._library.call("UnlockTensorBuffer", buffer)

    def run(self) -> None:
        """Runs it once."""
        counts = len(self._inputs), len(self._outputs)
        self._library.call(
            "RunCompiledModel",
            self._compiled,
            self._index,
            ctypes.c_size_t(counts[0]),
            (ctypes.c_void_p * counts[0])(*self._inputs),
            ctypes.c_size_t(counts[1]),
            (ctypes.c_void_p * counts[1])(*self._outputs),
        )

    def profiled(self, num_runs: int) -> Sequence[litert_library.Event]:
        """Returns the events of several runs."""
        library = self._library
        library.call("ResetProfiler", self._profiler)
        library.call("StartProfiler", self._profiler)
        for _ in range(num_runs):
            self.run()
        library.call("StopProfiler", self._profiler)
        count = ctypes.c_int()
        library.call(
            "GetNumProfilerEvents", self._profiler, ctypes.byref(count)
        )
        events = (litert_library.Event * count.value)()
        library.call("GetProfilerEvents", self._profiler, count, events)
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
