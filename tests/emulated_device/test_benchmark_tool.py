# SPDX-License-Identifier: Apache-2.0
"""The tool's forms, read by the parsers of the real ones."""

import re

import numpy as np
import pytest

from tests.emulated_device import programs, small_model
from tests.emulated_device.benchmark_tool import profile_text
from tflite_opt.benchmark import tool_output, tool_profile, tool_protos
from tflite_opt.records import errors, op_profile

_FOLDER = "/data/local/tmp/bench"
_TOOL = f"{_FOLDER}/benchmark_model"
_MODEL = f"--graph={_FOLDER}/m.tflite"
_QUICK = ("--num_runs=20", "--min_secs=0", "--warmup_min_secs=0")
_TOOLS = ("benchmark_model", "litert_benchmark_model")


@pytest.fixture
def bench(phone, tmp_path):
    """A function that launches a tool on a phone."""
    emulated, device = phone
    device.push(small_model.write(tmp_path / "m"), f"{_FOLDER}/m.tflite")

    def launch(*arguments, tool="benchmark_model", before=()):
        program = programs.write_benchmark_model(tmp_path / tool, tool)
        device.push(program, _TOOL)
        return device.shell([*before, _TOOL, *arguments], timeout_s=60)

    launch.emulated, launch.device = emulated, device
    return launch


def _parsed(done):
    assert done.exit_code == 0, done.stderr
    return tool_output.parse(done.stdout, done.stderr)


@pytest.mark.parametrize("tool", _TOOLS)
def test_both_tools_measure_and_write_the_same_result(bench, tool, tmp_path):
    done = bench(
        _MODEL,
        *_QUICK,
        f"--result_file_path={_FOLDER}/result.pb",
        "--report_peak_memory_footprint=true",
        tool=tool,
    )
    said = _parsed(done)
    bench.device.pull(f"{_FOLDER}/result.pb", tmp_path / "result.pb")
    content = (tmp_path / "result.pb").read_bytes()
    written = tool_protos.parse_result(content, tool)
    assert said.tool == tool
    assert said.inference.count == written.inference.count == 20
    for name in ("avg_ms", "median_ms", "min_ms", "max_ms", "p5_ms", "p95_ms"):
        assert getattr(said.inference, name) == pytest.approx(
            getattr(written.inference, name), rel=1e-4
        )
    assert said.inference.median_ms > 0
    assert said.first_inference_ms == pytest.approx(
        written.first_inference_ms, abs=0.006
    )
    assert said.memory.peak_bytes == pytest.approx(
        written.memory.peak_bytes, rel=1e-3
    )
    # Paths are the phone's own.
    assert f"Graph: [{_FOLDER}/m.tflite]" in done.stdout


def test_delegates_are_told_in_the_classic_form(bench):
    explicit = _parsed(bench(_MODEL, *_QUICK, "--use_xnnpack=true"))
    assert explicit.partitions == 1
    assert [x.delegate for x in explicit.delegates] == ["XNNPACK"]
    plain = _parsed(bench(_MODEL, *_QUICK, "--use_xnnpack=false"))
    assert plain.delegates == ()
    others = bench(_MODEL, *_QUICK, "--use_gpu=true", "--use_nnapi=true")
    found = {x.delegate: x.partitions for x in _parsed(others).delegates}
    assert found == {"GPU": 1, "NNAPI": 0}
    done = bench(
        _MODEL, *_QUICK, "--use_nnapi=1", "--require_full_delegation=1"
    )
    assert done.exit_code == 1
    assert tool_output.error_messages(done.stdout, done.stderr) == [
        "Disallowed CPU fallback detected.",
        "Benchmarking failed.",
    ]


def test_input_and_output_files_carry_exact_values(bench, tmp_path):
    ones = np.ones((1, small_model.SIZE), np.float32)
    (tmp_path / "in").write_bytes(ones.tobytes())
    bench.device.push(tmp_path / "in", f"{_FOLDER}/in")
    arguments = [
        _MODEL,
        *_QUICK,
        "--input_layer=x",
        f"--input_layer_shape=1,{small_model.SIZE}",
        f"--input_layer_value_files=x:{_FOLDER}/in",
        f"--output_filepath={_FOLDER}/out",
    ]
    found = []
    for extra in ([], [], ["--use_gpu=true"]):
        assert bench(*arguments, *extra).exit_code == 0
        bench.device.pull(f"{_FOLDER}/out", tmp_path / "out")
        found.append(np.fromfile(tmp_path / "out", np.float32))
    assert found[0].shape == (small_model.SIZE,)
    np.testing.assert_array_equal(found[0], found[1])
    # Half precision differs, a little.
    assert (found[2] != found[0]).any()
    np.testing.assert_allclose(found[2], found[0], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input_layer=x"], "number of items in --input_layer_shape (0)"),
        (
            [
                "--input_layer=x",
                "--input_layer_shape=1,256",
                "--input_layer_value_files=y:/data/local/tmp/in",
            ],
            "Cannot find the corresponding input_layer name(y)",
        ),
        (["--num_runs=many"], "Failed to parse flag 'num_runs'"),
        (["--graph=/data/local/tmp/no"], "Failed to load model"),
        (["--external_delegate_path=/data/no"], "external delegate /data/no"),
    ],
    ids=["shape", "name", "number", "graph", "delegate"],
)
def test_wrong_arguments_fail_with_their_reason(bench, arguments, message):
    done = bench(_MODEL, *_QUICK, *arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert "ERROR: Benchmarking failed." in done.stderr


def test_flags_in_other_forms_are_left_over(bench):
    done = bench(_MODEL, *_QUICK, "--use_gpu", "--num_thread=4")
    with pytest.raises(
        errors.BenchmarkError,
        match=re.escape("Received: --use_gpu --num_thread=4."),
    ):
        tool_output.parse(done.stdout, done.stderr)


@pytest.mark.parametrize("tool", _TOOLS)
def test_help_lists_the_flags_and_fails(bench, tool):
    done = bench("--help", tool=tool)
    assert done.exit_code == 1
    assert "\t--num_runs=50\tint32\toptional\t" in done.stderr
    own = {
        "benchmark_model": "use_xnnpack",
        "litert_benchmark_model": "use_npu",
    }
    for name, flag in own.items():
        assert (f"--{flag}=" in done.stderr) == (name == tool)


@pytest.mark.parametrize(
    ("tool", "flag"),
    [
        ("benchmark_model", "--enable_op_profiling=true"),
        ("litert_benchmark_model", "--use_profiler=true"),
    ],
)
def test_both_tools_profile_operators(bench, tool, flag):
    found = _parsed(bench(_MODEL, *_QUICK, flag, tool=tool)).operations
    types = [x.node_type for x in found]
    assert types.count("Fully Connected (NC, F32) GEMM") == 2
    assert sum(x.avg_ms for x in found) > 0


@pytest.mark.parametrize(
    ("mode", "read"),
    [
        ("csv", lambda x: tool_profile.parse_csv(x.decode())),
        ("proto", tool_protos.parse_profile),
    ],
    ids=["csv", "proto"],
)
def test_profiles_are_written_into_files(mode, read):
    ops = [
        op_profile.ProfiledOp(
            name=name,
            index=0,
            subgraph=0,
            is_delegated=is_delegated,
            mean_us=mean_us,
            share=mean_us / 400,
        )
        for name, is_delegated, mean_us in (
            ("Convolution (NHWC, QC8) IGEMM", True, 100.0),
            ("SOFTMAX", False, 300.0),
        )
    ]
    profile = op_profile.OpProfile(
        kernels="xnnpack", num_runs=50, inference_us=410.0, ops=tuple(ops)
    )
    content = {
        "csv": profile_text.csv(profile).encode(),
        "proto": profile_text.proto(profile, "m"),
    }[mode]
    found = read(content)
    assert [(x.node_type, x.avg_ms, x.fraction) for x in found] == [
        ("Convolution (NHWC, QC8) IGEMM", 0.1, 0.25),
        ("SOFTMAX", 0.3, 0.75),
    ]
    assert found[0].name == "Delegate/Convolution (NHWC, QC8) IGEMM:0"


@pytest.mark.parametrize(
    ("fault", "exit_code"),
    [("crash", 134), ("fail", 1), ("silence", 0)],
)
def test_launches_go_wrong_as_often_as_asked(bench, fault, exit_code):
    bench.emulated.faults.tool(fault, times=1)
    assert bench(_MODEL, *_QUICK).exit_code == exit_code
    assert _parsed(bench(_MODEL, *_QUICK)).inference.count == 20


def test_a_tool_can_contradict_itself(bench, tmp_path):
    bench.emulated.faults.tool("contradiction")
    said = _parsed(bench(_MODEL, *_QUICK, f"--result_file_path={_FOLDER}/r"))
    bench.device.pull(f"{_FOLDER}/r", tmp_path / "r")
    written = tool_protos.parse_result(
        (tmp_path / "r").read_bytes(), "benchmark_model"
    )
    assert written.inference.avg_ms == pytest.approx(
        2 * said.inference.avg_ms, rel=1e-4
    )


def test_work_heats_the_phone_and_heat_slows_the_work(bench):
    emulated = bench.emulated
    emulated.climate.heating_celsius_per_s = 50.0
    before = emulated.climate.celsius
    cool = _parsed(bench(_MODEL, "--num_runs=20", "--min_secs=0.4"))
    assert emulated.climate.celsius > before + 10
    assert cool.inference.count >= 20


def test_little_cpus_are_slower_than_big_ones(bench):
    little, prime = (
        _parsed(bench(_MODEL, *_QUICK, before=("taskset", mask)))
        for mask in ("f", "100")
    )
    # By 1024 / 160, and a wait is never shorter than asked for.
    assert little.inference.min_ms > 2 * prime.inference.min_ms


def test_the_app_prints_into_the_log_only(bench, tmp_path):
    device = bench.device
    apk = programs.write_benchmark_apk(tmp_path / "b.apk")
    device.push(apk, f"{_FOLDER}/b.apk")
    activity = f"{programs.APK_PACKAGE}/.BenchmarkModelActivity"
    start = ["am", "start", "-S", "-n", activity, "--es", "args"]
    given = " ".join([_MODEL, *_QUICK])
    done = device.shell([*start, given])
    assert "does not exist" in done.stdout
    done = device.shell(["pm", "install", "-r", f"{_FOLDER}/b.apk"])
    assert done.stdout == "Success\n"
    device.shell(["logcat", "-c"])
    device.shell([*start, given])
    log = ["logcat", "-d", "-s", "tflite:I", "tflite_BenchmarkModelActivity:I"]
    device.run_script(
        f"while pidof {programs.APK_PACKAGE}; do sleep 0.05; done", timeout_s=30
    )
    text = device.shell(log).stdout
    assert f"benchmark with args: {given}\n" in text
    assert tool_output.parse(text, "").inference.count == 20
    assert device.shell(["logcat", "-d", "-s", "other:I"]).stdout == ""
    listed = device.shell(["pm", "list", "packages"]).stdout
    assert listed == f"package:{programs.APK_PACKAGE}\n"
    device.shell(["pm", "uninstall", programs.APK_PACKAGE])
    assert device.shell(["pm", "list", "packages"]).stdout == ""
