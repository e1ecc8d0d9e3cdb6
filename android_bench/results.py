# SPDX-License-Identifier: Apache-2.0
"""From the launches on a device to the result of an artifact."""

import dataclasses
import pathlib

from android_bench import readiness
from tflite_opt.benchmark import tool_launches, tool_output
from tflite_opt.records import android_launch, benchmark
from tflite_opt.records import artifact as artifact_record


def result(
    artifact: artifact_record.Artifact,
    logs: android_launch.AndroidLogs,
    logs_path: pathlib.Path,
    *,
    options: benchmark.RuntimeOptions,
    runtime: str,
) -> benchmark.BenchmarkResult:
    """Returns what the launches say, without checks of outputs.

    Args:
        artifact: What was measured.
        logs: All its launches.
        logs_path: Where they are kept.
        options: How it was measured.
        runtime: The tool and its build.
    """
    found = tool_launches.result(
        artifact,
        logs.device.info(),
        options,
        runtime,
        tuple(
            dataclasses.replace(
                tool_launches.read_log(launch.log),
                state=launch.machine_state(options.cpus()),
            )
            for launch in logs.launches
        ),
        logs_path,
    )
    peak = found.peak_memory_bytes
    if logs.memory is not None:
        watched = tool_output.parse(logs.memory.stdout, logs.memory.stderr)
        peak = watched.memory.peak_bytes
    return dataclasses.replace(
        found,
        peak_memory_bytes=peak,
        warnings=(*found.warnings, *_warnings(logs, options)),
    )


def _warnings(
    logs: android_launch.AndroidLogs, options: benchmark.RuntimeOptions
) -> list[str]:
    found = list(readiness.cautions(logs.launches[0].before))
    for launch in logs.repeated:
        found.append(
            f"A launch was done again: {'; '.join(launch.disturbances)}."
        )
    for launch in logs.launches:
        if launch.disturbances:
            found.append(
                "A launch counts although it was disturbed: "
                f"{'; '.join(launch.disturbances)}."
            )
    available = len(options.cpus()) or logs.device.num_cpus
    if available and options.num_threads > available:
        found.append(f"{options.num_threads} threads on {available} CPUs.")
    return found
