# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201
"""A `benchmark_model` that works: runs the model and prints a tool's form.

Tests write it into a file of its own, with a line `SETTINGS = {...}` before.
It knows both C++ tools, a form without percentiles, and how to go wrong.
"""

import os
import pathlib
import resource
import statistics
import struct
import sys
import time

SETTINGS = globals().get("SETTINGS", {})
TOOL = SETTINGS.get("tool", "benchmark_model")
FAULT = SETTINGS.get("fault")
RUN_LOOP = {
    "num_runs": ("50", "int32", "expected number of runs"),
    "min_secs": ("1", "float", "minimum number of seconds to rerun for"),
    "max_secs": ("150", "float", "maximum number of seconds to rerun for"),
    "num_threads": ("-1", "int32", "number of threads"),
    "warmup_runs": ("1", "int32", "minimum number of runs performed"),
    "warmup_min_secs": ("0.5", "float", "minimum number of seconds"),
    "graph": ("", "string", "graph file name"),
    "result_file_path": ("", "string", "Path to save the result"),
}
OWN = {
    "benchmark_model": {"use_xnnpack": ("false", "bool", "apply XNNPACK")},
    "litert_benchmark_model": {"use_npu": ("false", "bool", "use the NPU")},
}
FLAGS = RUN_LOOP | OWN[TOOL]
# What the help lists but the program does not take.
IGNORED = {"max_secs"} if FAULT == "ignores_a_flag" else set()


def usage():
    lines = [f"usage: {sys.argv[0]} <flags>", "Flags:"]
    for name, (default, kind, text) in FLAGS.items():
        lines.append(f"\t--{name}={default}\t{kind}\toptional\t{text}")
    return "\n".join(lines)


def parsed():
    values = {name: default for name, (default, _, _) in FLAGS.items()}
    unknown = []
    for argument in sys.argv[1:]:
        name, separator, value = argument.removeprefix("--").partition("=")
        if separator and name in set(values) - IGNORED:
            values[name] = value
        else:
            unknown.append(argument)
    if unknown:
        print(f"WARN: Unconsumed cmdline flags: {' '.join(unknown)}")
    return values


def load(flags):
    from ai_edge_litert import interpreter as litert

    kinds = litert.OpResolverType
    implicit = flags.get("use_xnnpack", "true") == "true"
    model = litert.Interpreter(
        model_path=flags["graph"],
        num_threads=int(flags["num_threads"]),
        experimental_op_resolver_type=(
            kinds.AUTO if implicit else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    model.allocate_tensors()
    if TOOL == "benchmark_model" and implicit:
        print(
            "INFO: Explicitly applied XNNPACK delegate, and the model graph "
            "will be completely executed by the delegate."
        )
    return model


def run(model, least_runs, least_secs, most_secs):
    print(
        f"INFO: Running benchmark for at least {least_runs} iterations and at "
        f"least {least_secs:g} seconds but terminate if exceeding "
        f"{most_secs:g} seconds."
    )
    start, times = time.monotonic(), []
    while len(times) < least_runs or time.monotonic() < start + least_secs:
        if time.monotonic() > start + most_secs:
            break
        before = time.perf_counter_ns()
        model.invoke()
        # 1 where the clock of the C++ tools would say 0 of a tiny model.
        times.append(max((time.perf_counter_ns() - before) // 1000, 1))
    print(f"INFO: {counted(times)}\n")
    return times


def counted(times):
    ranks = sorted(times)
    text = f"count={len(times)}"
    if min(times) == max(times):
        text += f" curr={times[-1]}" + ("(all same)" if times[1:] else "")
    else:
        text += (
            f" first={times[0]} curr={times[-1]} min={ranks[0]} "
            f"max={ranks[-1]} avg={statistics.mean(times):g} "
            f"std={int(statistics.pstdev(times))}"
        )
    if SETTINGS.get("percentiles", True):
        text += "".join(
            f" {name}={ranks[len(ranks) * percent // 100]}"
            for name, percent in (("p5", 5), ("median", 50), ("p95", 95))
        )
    return text


def memory_kb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def classic_end(init_us, warmup, times, init_kb, overall_kb):
    print(
        f"INFO: Inference timings in us: Init: {init_us}, First inference: "
        f"{warmup[0]}, Warmup (avg): {statistics.mean(warmup):g}, Inference "
        f"(avg): {statistics.mean(times):g}"
    )
    print(
        "INFO: Memory footprint delta from the start of the tool (MB): "
        f"init={init_kb / 1024:g} overall={overall_kb / 1024:g}"
    )


def litert_end(init_us, warmup, times, init_kb, overall_kb):
    def log(line, text):
        print(
            f"INFO: [benchmark_litert_model.h:{line}] {text}", file=sys.stderr
        )

    log(91, "\n========== BENCHMARK RESULTS ==========")
    log(94, f"Model initialization: {init_us / 1e3:.2f} ms")
    log(96, f"Warmup (first):       {warmup[0] / 1e3:.2f} ms")
    mean = statistics.mean
    log(
        98,
        f"Warmup (avg):         {mean(warmup) / 1e3:.2f} ms "
        f"({len(warmup)} runs)",
    )
    log(
        100,
        f"Inference (avg):      {mean(times) / 1e3:.2f} ms ({len(times)} runs)",
    )
    log(104, f"Inference (min):      {min(times) / 1e3:.2f} ms")
    log(106, f"Inference (max):      {max(times) / 1e3:.2f} ms")
    log(108, f"Inference (std):      {statistics.pstdev(times) / 1e3:.2f}")
    log(124, "\nMemory Usage:")
    log(126, f"Init footprint:       {init_kb / 1024:.2f} MB")
    log(128, f"Overall footprint:    {overall_kb / 1024:.2f} MB")
    log(135, "Peak memory usage not available. (peak_mem_mb <= 0)")


def write_result(path, times):
    """Writes the message by protobuf's rules of encoding."""
    count = len(times) + (FAULT == "contradicts_itself")
    average = struct.pack("<f", statistics.mean(times) / 1e3)
    latency = b"\x0d" + average
    encoded = b""
    while count > 127:
        encoded += bytes([count & 127 | 128])
        count >>= 7
    misc = b"\x10" + encoded + bytes([count])
    content = b"\x12" + bytes([len(latency)]) + latency
    content += b"\x22" + bytes([len(misc)]) + misc
    pathlib.Path(path).write_bytes(content)


def main():
    print("INFO: STARTING!")
    if "--help" in sys.argv:
        print(f"ERROR: {usage()}", file=sys.stderr)
        print("ERROR: Benchmarking failed.", file=sys.stderr)
        sys.exit(1)
    flags = parsed()
    if FAULT == "crashes":
        os.abort()
    if FAULT == "hangs":
        pathlib.Path(SETTINGS["pid_file"]).write_text(str(os.getpid()))
        time.sleep(600)
    if FAULT == "says_nothing":
        return
    before_kb = memory_kb()
    start = time.perf_counter_ns()
    try:
        model = load(flags)
    except (RuntimeError, ValueError):
        print(f"ERROR: Failed to load model {flags['graph']}", file=sys.stderr)
        print("ERROR: Benchmarking failed.", file=sys.stderr)
        sys.exit(1)
    init_us = (time.perf_counter_ns() - start) // 1000
    init_kb = memory_kb() - before_kb
    print(f"INFO: Initialized session in {init_us / 1e3:g}ms.")
    most = float(flags["max_secs"])
    warmup = run(
        model, int(flags["warmup_runs"]), float(flags["warmup_min_secs"]), most
    )
    times = run(model, int(flags["num_runs"]), float(flags["min_secs"]), most)
    end = classic_end if TOOL == "benchmark_model" else litert_end
    end(init_us, warmup, times, init_kb, memory_kb() - before_kb)
    if flags.get("result_file_path"):
        write_result(flags["result_file_path"], times)


if __name__ == "__main__":
    main()
