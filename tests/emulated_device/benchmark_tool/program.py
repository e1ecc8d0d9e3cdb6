# SPDX-License-Identifier: Apache-2.0
"""The tools' `main`."""

from __future__ import annotations

import os
import pathlib
import re
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.emulated_device.benchmark_tool import flags as flags_module
from tests.emulated_device.benchmark_tool import outputs, surroundings
from tests.emulated_device.benchmark_tool.statistics import Measured, Statistics

if TYPE_CHECKING:
    from tests.emulated_device.benchmark_tool import model as model_module

_AS_APP = "--as-app"
_APP_TAG = "tflite_BenchmarkModelActivity"
_FOREVER_S = 3600


def main(tool: str) -> None:
    """Runs one launch with the arguments of this process."""
    arguments, is_app = sys.argv[1:], False
    if arguments[:1] == [_AS_APP]:
        surroundings.log_to_phone(
            [
                f"I {_APP_TAG}: Running TensorFlow Lite benchmark with args: "
                f"{arguments[1]}"
            ]
        )
        arguments, is_app = arguments[1].split(), True
    with surroundings.computing():
        _launch(tool, arguments, outputs.Output(tool, is_app=is_app))


def _launch(tool: str, arguments: Sequence[str], out: outputs.Output) -> None:
    asks_for_help = "--help" in arguments or "--help=true" in arguments
    # What asks for help measures nothing, so that nothing can go wrong.
    fault = None if asks_for_help else surroundings.take_fault()
    out.has_percentiles = fault != "old_form"
    out.info("STARTING!")
    flags = flags_module.Flags(
        tool, arguments, ("max_secs",) if fault == "ignored_flag" else ()
    )
    if flags.is_true("help"):
        flags_module.fail(flags.usage())
    if flags.unconsumed:
        left = " ".join(flags.unconsumed)
        out.info(f"Unconsumed cmdline flags: {left}", level="WARN")
    for line in flags.echo():
        out.info(line)
    _go_wrong(fault)
    if not flags.text("graph"):
        flags_module.fail(
            "Please specify the name of your TF Lite input file with --graph"
        )
    _measure(flags, out, is_contradicting=fault == "contradiction")


def _go_wrong(fault: str | None) -> None:
    sys.stdout.flush()
    if fault == "hang":
        time.sleep(_FOREVER_S)
    if fault == "crash":
        os.abort()
    if fault == "fail":
        flags_module.fail("Failed to invoke the interpreter.")
    if fault == "silence":
        sys.exit(0)


def _measure(
    flags: flags_module.Flags, out: outputs.Output, *, is_contradicting: bool
) -> None:
    # The import is not part of the model.
    from tests.emulated_device.benchmark_tool import model as model_module

    before_kb = _memory_kb()
    start = time.perf_counter_ns()
    model = model_module.Model(flags, out)
    init_us = (time.perf_counter_ns() - start) // 1000
    init_kb = _memory_kb() - before_kb
    out.info(f"The input model file size (MB): {model.size_mb:g}")
    out.info(f"Initialized session in {init_us / 1e3:g}ms.")
    warmup = _phase(model, flags, out, "warmup_runs", "warmup_min_secs")
    timed = _phase(model, flags, out, "num_runs", "min_secs")
    monitored = flags.is_true("report_peak_memory_footprint")
    measured = Measured(
        name=flags.text("benchmark_name"),
        signature=flags.text("signature_to_run_for") or "serving_default",
        init_us=init_us,
        warmup=warmup,
        timed=timed,
        init_kb=init_kb,
        overall_kb=_memory_kb() - before_kb,
        peak_mb=_memory_kb() / 1024 if monitored else None,
        size_mb=model.size_mb,
        input_bytes=model.input_bytes,
    )
    out.end(measured)
    if path := flags.text("output_filepath"):
        pathlib.Path(path).write_bytes(model.output_bytes())
    if flags.is_true("enable_op_profiling") or flags.is_true("use_profiler"):
        _profile(flags, out, model)
    if path := flags.text("result_file_path"):
        from tests.emulated_device.benchmark_tool import result_file

        scale = 2.0 if is_contradicting else 1.0
        pathlib.Path(path).write_bytes(
            result_file.content(measured, scale=scale)
        )


def _phase(
    model: model_module.Model,
    flags: flags_module.Flags,
    out: outputs.Output,
    least: str,
    least_s: str,
) -> Statistics:
    num_runs, duration_s = int(flags.number(least)), flags.number(least_s)
    most_s = flags.number("max_secs")
    out.phase(num_runs, duration_s, most_s)
    start = time.monotonic()
    times: list[int] = []
    while True:
        passed_s = time.monotonic() - start
        is_enough = len(times) >= num_runs and passed_s >= duration_s
        if times and (is_enough or passed_s > most_s):
            break
        if flags.number("run_delay") > 0:
            time.sleep(flags.number("run_delay"))
        times.append(model.run())
    found = Statistics(times)
    out.counted(found)
    return found


def _profile(
    flags: flags_module.Flags,
    out: outputs.Output,
    model: model_module.Model,
) -> None:
    from tests.emulated_device.benchmark_tool import profile_text
    from tflite_opt.tflite import profiler

    is_plain = flags.is_given("use_xnnpack") and not flags.is_true(
        "use_xnnpack"
    )
    found = profiler.profile(
        model.path,
        model.input_values(),
        kernels="builtin" if is_plain else "xnnpack",
        num_threads=max(int(flags.number("num_threads")), 1),
    )
    mode = flags.text("op_profiling_output_mode")
    place = flags.text("op_profiling_output_file")
    if out.tool != "benchmark_model":
        out.raw(profile_text.litert(found))
    elif mode == "csv" and place:
        pathlib.Path(place).write_text(profile_text.csv(found))
    elif mode == "proto" and place:
        pathlib.Path(place).write_bytes(
            profile_text.proto(found, model.path.name)
        )
    else:
        out.info("Operator-wise Profiling Info for Regular Benchmark Runs:")
        out.raw(profile_text.classic(found))


def _memory_kb() -> int:
    # ru_maxrss would begin with that of the emulator, which forked this.
    text = pathlib.Path("/proc/self/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) if found else 0
