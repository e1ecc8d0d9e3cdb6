# SPDX-License-Identifier: Apache-2.0
import pathlib

import pytest

from android_bench import op_profiling
from tests.tflite import handmade
from tflite_opt.records import artifact, benchmark, errors, tool_output
from tflite_opt.report import op_profile_text

_OUTPUTS = pathlib.Path(__file__).parents[1] / "benchmark" / "tool_outputs"
_OPTIONS = benchmark.RuntimeOptions()


class _Tool:
    """Prints a recorded output, whatever it is asked for."""

    identity = "tool"

    def __init__(self, name, *flags):
        self._name, self._flags = name, set(flags)

    def knows(self, *flags):
        return self._flags.issuperset(flags)

    def arguments(self, model, options, further):
        self.further = further
        return []

    def run(self, name, arguments, *, cpu_mask, timeout_s):
        stderr = _OUTPUTS / f"{self._name}.stderr.txt"
        return tool_output.ToolLog(
            command=(),
            started_at="",
            stdout=(_OUTPUTS / f"{self._name}.txt").read_text(),
            stderr=stderr.read_text() if stderr.exists() else "",
        )


class _Space:
    scratch = "/scratch"


@pytest.fixture
def model(tmp_path):
    path = handmade.dense().save(tmp_path / "dense.tflite")
    return artifact.describe(path, format="tflite")


def _profile(tool, model, options=_OPTIONS):
    profiler = op_profiling.Profiler(None, tool, _Space())
    return profiler.profile(model, "/m", options)


def test_a_printed_profile_becomes_the_record_of_the_desktop(model):
    tool = _Tool("profile_without_start", "enable_op_profiling")
    found = _profile(tool, model)
    assert tool.further == {"enable_op_profiling": "true"}
    (profile,) = found.profiles
    assert profile.kernels == "xnnpack"
    assert profile.inference_us == pytest.approx(1.24027e6)
    assert [op.name for op in profile.ops] == [
        "QUANTIZE",
        "Convolution (NHWC, QC8) IGEMM",
        "Convolution (NHWC, QC8) IGEMM",
    ]
    assert [op.is_delegated for op in profile.ops] == [False, True, True]
    # Two partitions run an operation of that name: the mean counts twice.
    assert profile.ops[2].mean_us == pytest.approx(2 * 7340)
    assert sum(op.share for op in profile.ops) == pytest.approx(1)
    assert found.delegation.left_out == (0,)
    assert "outside: 1 FULLY_CONNECTED" in op_profile_text.coverage(found)


def test_calls_of_all_inferences_are_divided(model):
    tool = _Tool("profile_litert", "use_profiler")
    found = _profile(tool, model)
    assert tool.further == {"use_profiler": "true"}
    (profile,) = found.profiles
    assert profile.num_runs > 1
    assert all(op.mean_us >= 0 for op in profile.ops)
    assert max(op.mean_us for op in profile.ops) < profile.inference_us * 2


def test_a_tool_without_a_profiler_is_no_profile(model):
    with pytest.raises(errors.BenchmarkError, match="Received: 'tool'"):
        _profile(_Tool("classic_modern"), model)


def test_an_output_without_a_profile_is_none(model):
    tool = _Tool("classic_modern", "enable_op_profiling")
    with pytest.raises(errors.BenchmarkError, match="'dense': the tool prin"):
        _profile(tool, model)
