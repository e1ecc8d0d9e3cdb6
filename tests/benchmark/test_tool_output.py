# SPDX-License-Identifier: Apache-2.0
import pathlib

import pytest

from tflite_opt.benchmark import tool_output
from tflite_opt.records import errors
from tflite_opt.records import tool_output as records

_FOLDER = pathlib.Path(__file__).parent / "tool_outputs"


def _read(name):
    stderr = _FOLDER / f"{name}.stderr.txt"
    return (
        (_FOLDER / f"{name}.txt").read_text(),
        stderr.read_text() if stderr.exists() else "",
    )


def _parse(name):
    return tool_output.parse(*_read(name))


def test_the_form_of_2018_has_no_prefix_and_other_names():
    found = _parse("classic_2018")
    assert found.tool == "benchmark_model"
    assert found.init_ms == 9.933
    assert found.first_inference_ms is None
    assert found.inference == records.LatencySummary(
        count=50,
        first_ms=67.027,
        min_ms=66.288,
        max_ms=68.102,
        avg_ms=66.7676,
        std_ms=0.331,
    )
    assert found.memory == records.MemoryUse()


def test_averages_alone_leave_all_else_absent():
    line = (
        "Average inference timings in us: Warmup: 76605.9, Init: 9933, "
        "no stats: 66767.6\n"
    )
    found = tool_output.parse(line, "")
    assert found.warmup == records.LatencySummary(avg_ms=76605.9 / 1e3)
    assert found.inference == records.LatencySummary(avg_ms=66767.6 / 1e3)


def test_the_form_of_2020_calls_memory_growth_a_peak():
    found = _parse("classic_2020")
    assert found.first_inference_ms == 15.926
    assert found.inference.count == 68
    assert found.inference.median_ms is None
    assert found.memory.overall_growth_bytes == round(12.8672 * 2**20)
    assert found.memory.init_growth_bytes == 0
    assert found.memory.peak_bytes is None


def test_without_percentiles_there_is_no_median():
    found = _parse("classic_no_percentiles")
    assert found.inference.avg_ms == 14290.9 / 1e3
    assert found.inference.std_ms == 0.452
    assert found.inference.p5_ms is None
    assert found.inference.median_ms is None
    assert found.inference.p95_ms is None
    assert found.partitions is None


def test_an_average_above_a_second_is_printed_with_an_exponent():
    found = _parse("classic_modern")
    assert found.init_ms == 5.579
    assert found.first_inference_ms == 1357.602
    # The only run of the warm-up has no spread, and none is invented.
    assert found.warmup == records.LatencySummary(
        count=1,
        first_ms=1357.602,
        min_ms=1357.602,
        max_ms=1357.602,
        avg_ms=1357.602,
        p5_ms=1357.602,
        median_ms=1357.602,
        p95_ms=1357.602,
    )
    assert found.inference == records.LatencySummary(
        count=50,
        first_ms=1249.964,
        min_ms=1238.588,
        max_ms=1252.566,
        avg_ms=1240.27,
        std_ms=2.565,
        p5_ms=1238.753,
        median_ms=1239.807,
        p95_ms=1247.415,
    )
    assert found.memory.init_growth_bytes == round(6.36328 * 2**20)


def test_delegates_are_told_by_the_tool_and_by_the_runtime():
    found = _parse("classic_xnnpack")
    assert found.delegates == (
        records.DelegateUse(delegate="XNNPACK", is_explicit=True, partitions=3),
        records.DelegateUse(
            delegate="TfLiteXNNPackDelegate",
            is_explicit=False,
            partitions=3,
            replaced_nodes=58,
            total_nodes=64,
            subgraph=0,
        ),
        records.DelegateUse(
            delegate="TfLiteXNNPackDelegate",
            is_explicit=False,
            partitions=1,
            replaced_nodes=2,
            total_nodes=5,
            subgraph=1,
        ),
    )
    # Those of the primary graph, not counted twice.
    assert found.partitions == 3
    assert found.memory == records.MemoryUse(
        init_growth_bytes=round(6.25 * 2**20),
        overall_growth_bytes=round(10.5 * 2**20),
        peak_bytes=round(85.25 * 2**20),
        resident_bytes=71 << 20,
        anonymous_bytes=40 << 20,
        file_bytes=31 << 20,
    )


def test_a_delegate_that_took_nothing_is_told_from_one_that_took_all():
    explicit = [x for x in _parse("classic_two_delegates").delegates][1:]
    assert [(x.delegate, x.partitions) for x in explicit] == [
        ("GPU", 1),
        ("NNAPI", 0),
    ]


@pytest.mark.parametrize(
    ("line", "replaced", "total", "partitions"),
    [
        (
            "INFO: Replacing 64 node(s) with delegate (TfLiteGpuDelegateV2) "
            "node, yielding 1 partitions.",
            64,
            None,
            1,
        ),
        (
            "VERBOSE: Replacing 5 out of 64 node(s) with delegate "
            "(TfLiteNnapiDelegate) node, yielding 5 partitions for the whole "
            "graph.",
            5,
            64,
            5,
        ),
        (
            "VERBOSE: Replacing 518 out of 518 node(s) with delegate "
            "(TfLiteQnnDelegate) node",
            518,
            518,
            None,
        ),
    ],
    ids=["without_total", "whole_graph", "without_partitions"],
)
def test_older_words_about_delegates(line, replaced, total, partitions):
    stdout, _ = _read("classic_2020")
    (use,) = tool_output.parse(stdout, line).delegates
    assert use.replaced_nodes == replaced
    assert use.total_nodes == total
    assert use.partitions == partitions


def test_equal_samples_have_all_statistics_but_no_run_has_none():
    found = _parse("classic_all_same")
    assert found.warmup == records.LatencySummary(count=0)
    assert found.inference == records.LatencySummary(
        count=50,
        first_ms=0.007,
        min_ms=0.007,
        max_ms=0.007,
        avg_ms=0.007,
        p5_ms=0.007,
        median_ms=0.007,
        p95_ms=0.007,
    )


def test_a_flag_that_the_tool_ignores_is_an_error():
    with pytest.raises(
        errors.BenchmarkError, match=r"Received: --use_gpu --num_thread=4\."
    ):
        _parse("classic_unconsumed")


def test_androids_log_has_another_prefix():
    found = _parse("classic_logcat")
    assert found.init_ms == 1007.529
    assert found.first_inference_ms == 4.098
    assert found.inference.avg_ms == 1.68792


def test_litert_tells_on_both_streams_and_counts_are_finer():
    found = _parse("litert_2_2")
    assert found.tool == "litert_benchmark_model"
    assert found.init_ms == 23744.73
    assert found.first_inference_ms == 7441.04
    assert found.inference.median_ms == 7430.015
    assert found.inference.min_ms == 7416.402
    assert found.memory.overall_growth_bytes == round(6391.74 * 2**20)
    assert found.memory.peak_bytes is None
    assert found.partitions == 1


def test_litert_alone_has_hundredths_of_milliseconds_and_no_median():
    found = _parse("litert_old")
    assert found.tool == "litert_benchmark_model"
    assert found.warmup == records.LatencySummary(
        count=1, first_ms=7441.04, avg_ms=7441.04
    )
    assert found.inference == records.LatencySummary(
        count=10, min_ms=7416.40, max_ms=7448.86, avg_ms=7430.20, std_ms=9.92
    )
    assert found.memory.peak_bytes == round(6400.5 * 2**20)


def test_both_streams_may_come_as_one():
    stdout, stderr = _read("litert_2_2")
    assert tool_output.parse(stderr + stdout, "") == _parse("litert_2_2")


def test_the_program_of_the_wheel_is_a_third_tool():
    found = _parse("litert_python")
    assert found.tool == "litert_benchmark"
    assert found.init_ms == 2.89
    assert found.inference == records.LatencySummary(
        count=200,
        min_ms=0.01,
        max_ms=0.04,
        avg_ms=0.01,
        median_ms=0.01,
        std_ms=0.0,
        p5_ms=0.01,
        p95_ms=0.01,
    )
    assert found.memory == records.MemoryUse()


@pytest.mark.parametrize(
    ("stdout", "stderr", "received"),
    [
        ("", "", "Received: nothing"),
        ("hello\n", "", "Received: 'hello'"),
        ("INFO: STARTING!\n", "no such file\n", "Received: 'no such file'"),
        ("count=many\n", "", "Received: 'count=many'"),
    ],
    ids=["nothing", "other_program", "stopped", "no_number"],
)
def test_output_that_means_nothing_is_an_error(stdout, stderr, received):
    with pytest.raises(errors.BenchmarkError, match=received):
        tool_output.parse(stdout, stderr)


def test_error_messages_are_those_of_the_logger():
    stderr = (
        "INFO: fine\nERROR: Failed to apply GPU delegate.\n"
        "ERROR: Benchmarking failed.\n"
    )
    assert tool_output.error_messages("", stderr) == [
        "Failed to apply GPU delegate.",
        "Benchmarking failed.",
    ]


def test_what_was_said_survives_as_json():
    found = _parse("profile_without_start")
    assert records.ToolOutput.from_json(found.to_json()) == found
