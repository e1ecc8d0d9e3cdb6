# SPDX-License-Identifier: Apache-2.0
import dataclasses
import os
import pathlib
import re

import pytest

from tflite_opt.benchmark import tool_binary
from tflite_opt.records import benchmark, errors

_OPTIONS = benchmark.RuntimeOptions(warmup_runs=5, num_threads=2)
_MODEL = pathlib.Path("/models/m.tflite")
_RESULT = pathlib.Path("/tmp/result.pb")
_RUN_LOOP = (
    "usage: benchmark_model <flags>\nFlags:\n"
    "\t--num_runs=50\tint32\toptional\texpected number of runs\n"
    "\t--min_secs=1\tfloat\toptional\tminimum\n"
    "\t--max_secs=150\tfloat\toptional\tmaximum\n"
    "\t--num_threads=-1\tint32\toptional\tnumber of threads\n"
    "\t--warmup_runs=1\tint32\toptional\tminimum\n"
    "\t--warmup_min_secs=0.5\tfloat\toptional\tminimum\n"
    "\t--graph=\tstring\toptional\tgraph file name\n"
)
_CLASSIC = _RUN_LOOP + "\t--use_xnnpack=false\tbool\toptional\tXNNPACK\n"
_LITERT = _RUN_LOOP + (
    "\t--use_npu=false\tbool\toptional\tNPU\n"
    "\t--result_file_path=\tstring\toptional\tresult\n"
)
_PYTHON = (
    "usage: litert-benchmark [-h] --model MODEL [--num_runs NUM_RUNS]\n"
    "  [--warmup_runs WARMUP_RUNS] [--num_threads NUM_THREADS]\n"
    "  [--use_npu] [--result_json RESULT_JSON]\n"
)


def _binary(folder, text):
    path = folder / "tool"
    path.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{text}\nEND\nexit 1\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("text", "tool", "flags"),
    [
        (
            _CLASSIC,
            "benchmark_model",
            [
                "--graph=/models/m.tflite",
                "--num_threads=2",
                "--num_runs=50",
                "--warmup_min_secs=0.1",
                "--min_secs=0.5",
                "--max_secs=10.0",
                "--warmup_runs=6",
                "--use_xnnpack=true",
            ],
        ),
        (
            _LITERT,
            "litert_benchmark_model",
            [
                "--graph=/models/m.tflite",
                "--num_threads=2",
                "--num_runs=50",
                "--warmup_min_secs=0.1",
                "--min_secs=0.5",
                "--max_secs=10.0",
                "--warmup_runs=6",
                "--result_file_path=/tmp/result.pb",
            ],
        ),
        (
            _PYTHON,
            "litert_benchmark",
            [
                "--model=/models/m.tflite",
                "--num_threads=2",
                "--num_runs=50",
                "--warmup_runs=6",
            ],
        ),
    ],
    ids=["classic", "litert", "python"],
)
def test_each_tool_is_known_by_its_help_and_gets_its_flags(
    text, tool, flags, tmp_path
):
    path = _binary(tmp_path, text)
    binary = tool_binary.identify(path)
    assert binary.tool == tool
    assert binary.identity == f"{tool} {binary.sha256[:12]}"
    assert binary.command(_MODEL, _OPTIONS, _RESULT) == [str(path), *flags]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (_LITERT, "delegate", "none"),
        (_PYTHON, "delegate", "none"),
        (_PYTHON, "min_secs", 3.0),
        (_PYTHON, "run_delay", 0.1),
    ],
    ids=[
        "litert_delegate",
        "python_delegate",
        "python_duration",
        "python_delay",
    ],
)
def test_what_a_tool_cannot_do_is_refused(text, field, value, tmp_path):
    binary = tool_binary.identify(_binary(tmp_path, text))
    options = dataclasses.replace(_OPTIONS, **{field: value})
    message = f"`{field}` cannot be given to {binary.tool}. Received: {field}="
    with pytest.raises(errors.InputError, match=message):
        binary.command(_MODEL, options, _RESULT)


@pytest.mark.parametrize(
    ("text", "options", "flag"),
    [
        (_CLASSIC, {"run_delay": 0.5}, "--run_delay=0.5"),
        (_LITERT, {"run_delay": 0.5}, "--run_delay=0.5"),
        (_CLASSIC, {"signature": "half"}, "--signature_to_run_for=half"),
        (_LITERT, {"signature": "half"}, "--signature_to_run_for=half"),
        (_PYTHON, {"signature": "half"}, "--signature=half"),
    ],
)
def test_what_is_seldom_asked_for_is_given_in_the_tools_words(
    text, options, flag, tmp_path
):
    name = flag.removeprefix("--").partition("=")[0]
    wanted = dataclasses.replace(_OPTIONS, **options)
    known = tool_binary.identify(_binary(tmp_path, f"{text}\t--{name}=\n"))
    assert flag in known.command(_MODEL, wanted, _RESULT)
    assert flag not in known.command(_MODEL, _OPTIONS, _RESULT)
    old = tool_binary.identify(_binary(tmp_path, text))
    with pytest.raises(errors.InputError, match=f"without --{name}"):
        old.command(_MODEL, wanted, _RESULT)


def test_a_tool_runs_on_the_cpus_of_a_mask(tmp_path):
    path = _binary(tmp_path, _CLASSIC)
    binary = tool_binary.identify(path)
    cpu = min(os.sched_getaffinity(0))
    masked = dataclasses.replace(_OPTIONS, cpu_mask=f"{1 << cpu:x}")
    command = binary.command(_MODEL, masked, _RESULT)
    assert command[:3] == ["taskset", f"{1 << cpu:x}", str(path)]
    assert command[2:] == binary.command(_MODEL, _OPTIONS, _RESULT)
    absent = dataclasses.replace(_OPTIONS, cpu_mask="1000000000000000")
    with pytest.raises(errors.InputError, match="must name CPUs that are"):
        binary.command(_MODEL, absent, _RESULT)


def test_a_version_without_a_needed_flag_is_refused(tmp_path):
    text = _CLASSIC.replace("--warmup_min_secs", "--warmup_secs")
    binary = tool_binary.identify(_binary(tmp_path, text))
    with pytest.raises(
        errors.InputError, match=r"without --warmup_min_secs\. Take a newer"
    ):
        binary.command(_MODEL, _OPTIONS, _RESULT)


def test_rejects_a_program_that_is_not_there(tmp_path):
    with pytest.raises(errors.InputError, match="which is not there"):
        tool_binary.identify(tmp_path / "missing")


def test_rejects_a_program_that_may_not_be_run(tmp_path):
    path = _binary(tmp_path, _CLASSIC)
    path.chmod(0o644)
    with pytest.raises(errors.InputError, match="Permission denied.*chmod"):
        tool_binary.identify(path)


def test_rejects_a_build_for_another_processor(tmp_path):
    path = tmp_path / "tool"
    path.write_bytes(b"\x7fELF" + bytes(60))
    path.chmod(0o755)
    with pytest.raises(errors.InputError, match="a build for this processor"):
        tool_binary.identify(path)


def test_rejects_a_program_that_hangs_on_help(tmp_path, monkeypatch):
    monkeypatch.setattr(tool_binary, "_HELP_TIMEOUT_S", 0.1)
    path = tmp_path / "tool"
    path.write_text("#!/bin/sh\nsleep 60\n")
    path.chmod(0o755)
    with pytest.raises(errors.InputError, match="timed out after 0.1 s"):
        tool_binary.identify(path)


def test_rejects_another_program(tmp_path):
    path = _binary(tmp_path, "usage: cp --recursive SOURCE TARGET")
    message = f"{str(path)!r}, whose --help lists none of their flags"
    with pytest.raises(errors.InputError, match=re.escape(message)):
        tool_binary.identify(path)


@pytest.mark.parametrize(
    ("text", "options", "flags"),
    [
        (
            _CLASSIC,
            {"delegate": "gpu"},
            ["--use_xnnpack=false", "--use_gpu=true"],
        ),
        (
            _CLASSIC,
            {"delegate": "nnapi", "require_full_delegation": True},
            [
                "--use_xnnpack=false",
                "--use_nnapi=true",
                "--require_full_delegation=true",
            ],
        ),
        (
            _CLASSIC,
            {
                "delegate": "external",
                "tool_flags": {"external_delegate_path": "/d.so"},
            },
            ["--use_xnnpack=false", "--external_delegate_path=/d.so"],
        ),
        (_LITERT, {"delegate": "npu"}, ["--use_npu=true"]),
        (
            _LITERT,
            {"delegate": "gpu", "require_full_delegation": True},
            [
                "--use_gpu=true",
                "--require_full_delegation=true",
                "--use_cpu=false",
            ],
        ),
    ],
    ids=["gpu", "nnapi", "external", "litert_npu", "litert_gpu"],
)
def test_each_delegate_has_the_flags_of_its_tool(
    text, options, flags, tmp_path
):
    names = ("use_gpu", "use_nnapi", "use_cpu", "require_full_delegation")
    text += "".join(f"\t--{x}=false\tbool\toptional\t{x}\n" for x in names)
    text += "\t--external_delegate_path=\tstring\toptional\tpath\n"
    binary = tool_binary.identify(_binary(tmp_path, text))
    command = binary.command(
        _MODEL, dataclasses.replace(_OPTIONS, **options), _RESULT
    )
    start = command.index("--warmup_runs=6") + 1
    found = [x for x in command[start:] if not x.startswith("--result")]
    assert found == flags


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (_LITERT, {"delegate": "nnapi"}, "`delegate` cannot be given"),
        (
            _LITERT,
            {"require_full_delegation": True},
            "`require_full_delegation` cannot be given",
        ),
        (_CLASSIC, {"delegate": "external"}, "Add --tool_flags=external"),
    ],
    ids=["litert_nnapi", "litert_xnnpack_only", "external_without_path"],
)
def test_what_a_delegate_needs_is_checked(text, options, message, tmp_path):
    binary = tool_binary.identify(_binary(tmp_path, text))
    with pytest.raises(errors.InputError, match=message):
        binary.command(
            _MODEL, dataclasses.replace(_OPTIONS, **options), _RESULT
        )
