# SPDX-License-Identifier: Apache-2.0
"""Reads the binary files that the tools called `benchmark_model` write.

`--result_file_path` gets a `tflite.tools.benchmark.BenchmarkResult`,
`--op_profiling_output_mode=proto` writes a
`tflite.profiling.BenchmarkProfilingData`. Both are described here: the modules
of some packages register them for the whole process, and TensorFlow, which
does the same, can then no longer be imported.

References:
    tflite/tools/benchmark/proto/benchmark_result.proto and
    tflite/profiling/proto/profiling_info.proto in
    https://github.com/google-ai-edge/LiteRT
"""

import functools
from collections.abc import Iterator
from typing import Any, Literal

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message,
    message_factory,
)

from tflite_opt.records import errors, tool_output

_PACKAGE = "tflite_opt.benchmark"
_FIELD = descriptor_pb2.FieldDescriptorProto
_FLOAT, _INT = _FIELD.TYPE_FLOAT, _FIELD.TYPE_INT64
_TEXT = _FIELD.TYPE_STRING
# Before the name of a message that a field may hold several of.
_REPEATED = "*"
# Fields are numbered from 1 in this order.
_MESSAGES: dict[str, dict[str, Any]] = {
    "LatencyMetrics": {
        "avg_ms": _FLOAT,
        "min_ms": _FLOAT,
        "max_ms": _FLOAT,
        "stddev_ms": _FLOAT,
        "median_ms": _FLOAT,
        "p5_ms": _FLOAT,
        "p95_ms": _FLOAT,
        "init_ms": _FLOAT,
        "first_inference_ms": _FLOAT,
        "average_warm_up_ms": _FLOAT,
    },
    "MemoryMetrics": {
        "init_footprint_kb": _INT,
        "overall_footprint_kb": _INT,
        "peak_mem_mb": _FLOAT,
    },
    "MiscMetrics": {
        "model_size_mb": _FLOAT,
        "num_runs": _INT,
        "num_warmup_runs": _INT,
        "model_throughput_in_mb_per_sec": _FLOAT,
    },
    "BenchmarkResult": {
        "name": _TEXT,
        "latency_metrics": "LatencyMetrics",
        "memory_metrics": "MemoryMetrics",
        "misc_metrics": "MiscMetrics",
    },
    "OpProfilingStat": {
        "first": _INT,
        "last": _INT,
        "avg": _INT,
        "stddev": _FLOAT,
        "variance": _FLOAT,
        "min": _INT,
        "max": _INT,
        "sum": _INT,
        "count": _INT,
    },
    "OpProfileData": {
        "node_type": _TEXT,
        "inference_microseconds": "OpProfilingStat",
        "mem_kb": "OpProfilingStat",
        "times_called": _INT,
        "name": _TEXT,
        "run_order": _INT,
    },
    "SubGraphProfilingData": {
        "subgraph_name": _TEXT,
        "subgraph_index": _FIELD.TYPE_INT32,
        "per_op_profiles": "*OpProfileData",
    },
    "DelegateProfilingData": {
        "delegate_name": _TEXT,
        "per_op_profiles": "*OpProfileData",
    },
    "ModelProfilingData": {
        "subgraph_profiles": "*SubGraphProfilingData",
        "delegate_profiles": "*DelegateProfilingData",
    },
    "BenchmarkProfilingData": {
        "model_name": _TEXT,
        "init_profile": "ModelProfilingData",
        "runtime_profile": "ModelProfilingData",
    },
}


def parse_result(
    content: bytes, tool: tool_output.Tool
) -> tool_output.ToolOutput:
    """Reads a file that `--result_file_path` names.

    Args:
        content: Of the file.
        tool: Which tool wrote it; the file does not say.

    Raises:
        BenchmarkError: If it is no such message.
    """
    result = _parsed(message_class("BenchmarkResult")(), content)
    latency = result.latency_metrics
    if not latency.HasField("avg_ms"):
        raise errors.BenchmarkError(
            "The result file must hold latency metrics. "
            f"Received: {len(content)} bytes without."
        )
    return tool_output.ToolOutput(
        tool=tool,
        init_ms=_known(latency, "init_ms"),
        first_inference_ms=_known(latency, "first_inference_ms"),
        warmup=tool_output.LatencySummary(
            count=_known(result.misc_metrics, "num_warmup_runs"),
            first_ms=_known(latency, "first_inference_ms"),
            avg_ms=_known(latency, "average_warm_up_ms"),
        ),
        inference=tool_output.LatencySummary(
            count=_known(result.misc_metrics, "num_runs"),
            min_ms=_known(latency, "min_ms"),
            max_ms=_known(latency, "max_ms"),
            avg_ms=latency.avg_ms,
            std_ms=_known(latency, "stddev_ms"),
            p5_ms=_known(latency, "p5_ms"),
            median_ms=_known(latency, "median_ms"),
            p95_ms=_known(latency, "p95_ms"),
        ),
        memory=_memory(result.memory_metrics),
    )


def parse_profile(content: bytes) -> tuple[tool_output.OperationTime, ...]:
    """Reads a file that `--op_profiling_output_file` names.

    Raises:
        BenchmarkError: If it holds no profile.
    """
    data = _parsed(message_class("BenchmarkProfilingData")(), content)
    found = (
        *_operations(data.init_profile, "init"),
        *_operations(data.runtime_profile, "run"),
    )
    if not found:
        raise errors.BenchmarkError(
            "The file must hold an operator profile. "
            f"Received: {len(content)} bytes without."
        )
    return found


@functools.cache
def message_class(name: str) -> Any:
    """Returns the class of a message; others than ours do not know it.

    Args:
        name: `BenchmarkResult` or `BenchmarkProfilingData`.
    """
    # A pool of its own: TensorFlow may register the original in the default.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_described())
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    )


def _described() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="tflite_opt/benchmark.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        described = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            added = described.field.add(
                name=field, number=number, label=_FIELD.LABEL_OPTIONAL
            )
            if isinstance(kind, str):
                if kind.startswith(_REPEATED):
                    added.label = _FIELD.LABEL_REPEATED
                added.type = _FIELD.TYPE_MESSAGE
                added.type_name = f".{_PACKAGE}.{kind.lstrip(_REPEATED)}"
            else:
                added.type = kind
    return file


def _parsed(empty: Any, content: bytes) -> Any:
    try:
        empty.ParseFromString(content)
    except message.DecodeError as error:
        raise errors.BenchmarkError(
            f"The file must hold a {type(empty).__name__} message. "
            f"Received: {len(content)} bytes that are none."
        ) from error
    return empty


def _known(part: Any, field: str) -> Any:
    return getattr(part, field) if part.HasField(field) else None


def _memory(metrics: Any) -> tool_output.MemoryUse:
    init = _known(metrics, "init_footprint_kb")
    overall = _known(metrics, "overall_footprint_kb")
    peak = _known(metrics, "peak_mem_mb")
    return tool_output.MemoryUse(
        init_growth_bytes=None if init is None else init << 10,
        overall_growth_bytes=None if overall is None else overall << 10,
        # Not positive where the monitor was off.
        peak_bytes=round(peak * (1 << 20)) if peak and peak > 0 else None,
    )


def _operations(
    profile: Any, phase: Literal["init", "run"]
) -> Iterator[tool_output.OperationTime]:
    total = sum(
        operation.inference_microseconds.sum
        for graph in profile.subgraph_profiles
        for operation in graph.per_op_profiles
    )
    several = len(profile.subgraph_profiles) > 1
    for graph in profile.subgraph_profiles:
        name = graph.subgraph_name if several else ""
        for operation in graph.per_op_profiles:
            yield _operation(operation, phase, name, total)
    for delegate in profile.delegate_profiles:
        for operation in delegate.per_op_profiles:
            yield _operation(operation, phase, "delegate", 0)


def _operation(
    operation: Any, phase: Literal["init", "run"], graph: str, total_us: int
) -> tool_output.OperationTime:
    time = operation.inference_microseconds
    return tool_output.OperationTime(
        phase=phase,
        graph=graph,
        node_type=operation.node_type,
        name=operation.name,
        # `avg` is cut to whole microseconds.
        avg_ms=time.sum / time.count / 1e3 if time.count else time.avg / 1e3,
        fraction=time.sum / total_us if total_us else None,
        memory_bytes=operation.mem_kb.last * 1000,
        times_called=operation.times_called,
    )
