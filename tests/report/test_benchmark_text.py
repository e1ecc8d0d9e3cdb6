# SPDX-License-Identifier: Apache-2.0
import dataclasses

from tests import factories
from tflite_opt.records import benchmark, delegation, op_profile, roofline
from tflite_opt.report import benchmark_text, drift_plot, op_profile_text

_PNG = b"\x89PNG"


def _result(**fields):
    launch = factories.launch(warmup_runs=12, timing_ns=80.0)
    return dataclasses.replace(
        factories.result(factories.tflite("int8")),
        launches=(launch,),
        **fields,
    )


def test_a_line_has_threads_what_was_dropped_and_the_check():
    check = benchmark.OutputCheck(reference="golden vectors", description="x")
    table = benchmark_text.table([_result(check=check)])
    header, _, line, how = table.splitlines()
    assert line.split()[:3] == ["int8", "1", "1"]
    assert line.endswith("golden vectors")
    assert "12" in line.split()
    assert "dropped" in header
    assert "timing itself takes 0.08 us" in how


def test_what_could_not_be_measured_has_its_reason_in_the_table():
    failure = benchmark.BenchmarkFailure(
        artifact=factories.tflite("flex"), message="needs FlexErf"
    )
    lines = benchmark_text.table([_result()], [failure]).splitlines()
    assert lines[0].endswith("not measured because")
    assert lines[3].startswith("flex")
    assert lines[3].endswith("needs FlexErf")
    assert "needs FlexErf" in benchmark_text.table([], [failure])
    assert benchmark_text.table([]) == "Nothing could be measured."


def test_warnings_company_and_drift_have_a_line_each():
    windows = tuple(
        benchmark.DriftWindow(
            start_s=i, end_s=i + 1, median_ms=m, p95_ms=2.0, num_samples=9
        )
        for i, m in enumerate((1.0, 1.5, 1.2))
    )
    company = benchmark.ConcurrentStats(
        num_interpreters=4,
        throughput_per_s=1500.0,
        p50_ms=2.5,
        p95_ms=3.0,
        p99_ms=4.0,
    )
    text = benchmark_text.table(
        [_result(warnings=("Noisy.",), drift=windows, concurrent=company)]
    )
    assert "warning: int8, 1 thread: Noisy." in text
    assert "4 interpreters at once do 1500 inferences/s; p50 2.5" in text
    assert "from 1 to 1.2 ms (+20.0%); slowest window 1.5 ms at 1 s" in text


def test_drift_is_drawn(tmp_path):
    window = benchmark.DriftWindow(
        start_s=0.0, end_s=1.0, median_ms=1.0, p95_ms=2.0, num_samples=9
    )
    path = tmp_path / "drift.png"
    drift_plot.write_drift([_result(drift=(window,))], path)
    assert path.read_bytes()[:4] == _PNG


def test_a_roofline_says_what_the_machine_reaches():
    found = roofline.Roofline(
        artifact=factories.tflite("int8"),
        num_threads=2,
        dtype="int8",
        macs=10_000_000,
        bytes_moved=1_000_000,
        median_ms=1.0,
        reachable_macs_per_s=100e9,
        reachable_bytes_per_s=2e9,
    )
    assert found.limit_ms == 0.5
    text = benchmark_text.describe_roofline(found)
    assert "10 of 100 GMAC/s (10%) and 1 of 2 GB/s (50%)" in text
    assert "could be about 0.5 ms" in text


def _profile():
    def op(name, index, mean_us, is_delegated):
        return op_profile.ProfiledOp(
            name=name,
            index=index,
            subgraph=0,
            is_delegated=is_delegated,
            mean_us=mean_us,
            share=mean_us / 10,
        )

    return op_profile.ProfiledModel(
        artifact=factories.tflite("int8"),
        num_threads=1,
        profiles=(
            op_profile.OpProfile(
                kernels="xnnpack",
                num_runs=100,
                inference_us=12.0,
                ops=(
                    op("Convolution (NHWC, QC8) IGEMM", 0, 4.0, True),
                    op("Convolution (NHWC, QC8) IGEMM", 1, 3.0, True),
                    op("SOFTMAX", 2, 3.0, False),
                ),
            ),
        ),
        operators=("CONV_2D", "CONV_2D", "SOFTMAX"),
        delegation=delegation.Delegation(
            delegate="xnnpack",
            partitions=2,
            delegated=((0,), (1,)),
            left_out=(2,),
        ),
    )


def test_a_profile_adds_up_kinds_and_lists_the_slowest():
    text = op_profile_text.describe(_profile())
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "2 Convolution (NHWC, QC8) IGEMM yes 7.0 70.0%" in lines
    assert "1 SOFTMAX no 3.0 30.0%" in lines
    assert "Convolution (NHWC, QC8) IGEMM, number 0 yes 4.0 40.0%" in lines


def test_coverage_names_what_is_outside_and_why_that_costs():
    text = op_profile_text.coverage(_profile())
    assert "2 of 3 operations in 2 partitions; outside: 1 SOFTMAX" in text
    assert "between partitions" in text
    assert "30% of the time" in text


def test_a_profile_is_drawn(tmp_path):
    path = tmp_path / "profile.png"
    op_profile_text.write_chart(_profile(), path)
    assert path.read_bytes()[:4] == _PNG


def _cells(result):
    return benchmark_text.table([result]).splitlines()[2].split()


def test_what_a_tool_does_not_tell_is_a_dash():
    result = factories.result(factories.tflite("int8"))
    known = _cells(result)
    told = (2, 3, 4, 5, 10, 11)
    assert "-" not in [known[column] for column in told]
    unknown = dataclasses.replace(
        result,
        latency=dataclasses.replace(
            result.latency,
            median_ms=None,
            median_low_ms=None,
            median_high_ms=None,
            p90_ms=None,
            p99_ms=None,
        ),
        peak_memory_bytes=None,
        partitions=None,
    )
    expected = list(known)
    for column in told:
        expected[column] = "-"
    assert _cells(unknown) == expected
