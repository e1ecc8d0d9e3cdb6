# SPDX-License-Identifier: Apache-2.0
import struct
import subprocess
import sys

import pytest

from tests.scripts import programs
from tflite_opt.benchmark import tool_protos
from tflite_opt.records import errors
from tflite_opt.records import tool_output as records


def wire(fields):
    """Encodes {number: value}: float, int or bytes, by protobuf's rules."""
    content = b""
    for number, value in fields.items():
        if isinstance(value, float):
            content += bytes([number << 3 | 5]) + struct.pack("<f", value)
        elif isinstance(value, int):
            content += bytes([number << 3]) + _varint(value)
        else:
            content += bytes([number << 3 | 2]) + _varint(len(value)) + value
    return content


def _varint(value):
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


_RESULT = wire(
    {
        1: b"model",
        2: wire(
            {
                1: 1.25,
                2: 1.0,
                3: 2.0,
                4: 0.25,
                5: 1.125,
                6: 1.0625,
                7: 1.5,
                8: 12.5,
                9: 3.5,
                10: 1.75,
            }
        ),
        3: wire({1: 6400, 2: 10752, 3: 85.25}),
        4: wire({1: 4.5, 2: 163, 3: 81, 4: 27.5}),
    }
)


def test_a_result_file_holds_all_statistics_but_the_first_run():
    found = tool_protos.parse_result(_RESULT, "benchmark_model")
    assert found == records.ToolOutput(
        tool="benchmark_model",
        init_ms=12.5,
        first_inference_ms=3.5,
        warmup=records.LatencySummary(count=81, first_ms=3.5, avg_ms=1.75),
        inference=records.LatencySummary(
            count=163,
            min_ms=1.0,
            max_ms=2.0,
            avg_ms=1.25,
            std_ms=0.25,
            p5_ms=1.0625,
            median_ms=1.125,
            p95_ms=1.5,
        ),
        memory=records.MemoryUse(
            init_growth_bytes=6400 * 1024,
            overall_growth_bytes=10752 * 1024,
            peak_bytes=round(85.25 * 2**20),
        ),
    )


def test_what_a_result_file_lacks_is_absent():
    content = wire({2: wire({1: 1.25})})
    found = tool_protos.parse_result(content, "litert_benchmark_model")
    assert found.inference == records.LatencySummary(avg_ms=1.25)
    assert found.memory == records.MemoryUse()
    assert found.init_ms is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "latency metrics. Received: 0 bytes"),
        (b"\xff\xff\xff", "BenchmarkResult message. Received: 3 bytes"),
        (_RESULT[:20], "BenchmarkResult message. Received: 20 bytes"),
    ],
    ids=["empty", "garbage", "cut"],
)
def test_another_file_is_an_error(content, message):
    with pytest.raises(errors.BenchmarkError, match=message):
        tool_protos.parse_result(content, "benchmark_model")


def test_a_profile_is_read_with_times_from_sums():
    data = tool_protos.message_class("BenchmarkProfilingData")()
    graph = data.runtime_profile.subgraph_profiles.add(subgraph_name="main")
    for name, total in (("dense", 150), ("softmax", 50)):
        operation = graph.per_op_profiles.add(
            node_type=name.upper(), name=name, times_called=1
        )
        operation.inference_microseconds.sum = total
        operation.inference_microseconds.count = 4
        operation.mem_kb.last = 2
    delegate = data.runtime_profile.delegate_profiles.add()
    delegate.per_op_profiles.add(node_type="Add (ND)", name="Add:0")
    found = tool_protos.parse_profile(data.SerializeToString())
    assert found[0] == records.OperationTime(
        phase="run",
        graph="",
        node_type="DENSE",
        name="dense",
        avg_ms=0.0375,
        fraction=0.75,
        memory_bytes=2000,
        times_called=1,
    )
    assert [x.graph for x in found] == ["", "", "delegate"]
    assert found[2].fraction is None


def test_a_file_without_a_profile_is_an_error():
    with pytest.raises(errors.BenchmarkError, match="0 bytes without"):
        tool_protos.parse_profile(b"")


def test_tensorflow_can_be_imported_afterwards():
    code = (
        "from tflite_opt.benchmark import tool_protos\n"
        "tool_protos.message_class('BenchmarkProfilingData')\n"
        "import tensorflow.lite.profiling.proto.profiling_info_pb2\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=programs.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
