# SPDX-License-Identifier: Apache-2.0
"""From the output of a tool's processes to the result of an artifact.

The same for a tool on this machine and on a phone; starts nothing.
"""

import json
import pathlib
from collections.abc import Sequence

import numpy as np

from tflite_opt.benchmark import summaries, tool_output, tool_protos
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, files
from tflite_opt.records import tool_output as tool_record

_SIGNAL_EXIT_CODE = 128
_PYTHON_RESOLUTION_MS = 0.01
_LARGEST_ROUNDING = 0.01
# Six digits in text, 32 bits in the file.
_RELATIVE_TOLERANCE = 1e-4


def path_of(
    directory: pathlib.Path,
    artifact: artifact_record.Artifact,
    identity: str,
    options: benchmark.RuntimeOptions,
    index: int,
) -> pathlib.Path:
    """Names a launch by all that it depends on, so that none is reused."""
    content = f"{artifact.sha256} {identity} {json.dumps(options.to_json())}"
    key = files.sha256_of_text(content)[:16]
    return directory / "launches" / f"{artifact.name}.{key}.{index}.json"


def require_success(
    name: str, exit_code: int, stdout: str, stderr: str
) -> None:
    """Checks how a process ended.

    Args:
        name: Of the artifact.
        exit_code: As a shell reports it: above 128 for a signal.
        stdout: Of the process.
        stderr: Of the process.

    Raises:
        BenchmarkError: If it crashed or failed, with its own reason.
    """
    if exit_code > _SIGNAL_EXIT_CODE:
        raise errors.BenchmarkError(
            f"A launch of {name!r} crashed with signal "
            f"{exit_code - _SIGNAL_EXIT_CODE}. "
            "The file is not safe to run here."
        )
    if exit_code:
        said = tool_output.error_messages(stdout, stderr)
        said += (stderr.strip() or stdout.strip()).splitlines()[-1:]
        raise errors.BenchmarkError(
            f"A launch of {name!r} failed: "
            f"{said[0] if said else f'exit code {exit_code}'}"
        )


def require_usable(
    name: str, log: tool_record.ToolLog, result: bytes | None
) -> None:
    """Checks that a launch can be read and agrees with its own file.

    Args:
        name: Of the artifact.
        log: What the process printed.
        result: The result file; None if there is none.

    Raises:
        BenchmarkError: If it cannot be used.
    """
    try:
        found = read_log(log)
        if result is not None:
            _cross_check(found, result)
    except errors.BenchmarkError as error:
        raise errors.BenchmarkError(
            f"A launch of {name!r} cannot be used: {error}"
        ) from error


def read_log(log: tool_record.ToolLog) -> benchmark.Launch:
    """Returns what a process of a tool measured.

    Raises:
        BenchmarkError: If its output is not whole, or a flag was ignored.
    """
    output = tool_output.parse(log.stdout, log.stderr)
    timed, warmup = output.inference, output.warmup
    if (
        output.init_ms is None
        or output.first_inference_ms is None
        or warmup is None
        or warmup.count is None
        or timed is None
        or not timed.count
        or timed.min_ms is None
    ):
        raise errors.BenchmarkError(
            "The tool must print how often it ran the model and how long that "
            f"took. Received: {log.stdout[-200:]!r}."
        )
    if not timed.avg_ms or timed.median_ms == 0:
        raise errors.BenchmarkError(
            "The model must be slow enough for the tool's digits. "
            f"Received: avg_ms={timed.avg_ms}, median_ms={timed.median_ms}. "
            "Take --runner=desktop."
        )
    return benchmark.Launch(
        source=output.tool,
        init_ms=output.init_ms,
        first_inference_ms=output.first_inference_ms,
        warmup_runs=warmup.count,
        num_runs=timed.count,
        median_ms=timed.median_ms,
        peak_memory_bytes=output.memory.peak_bytes,
        model_memory_bytes=output.memory.overall_growth_bytes,
        partitions=output.partitions,
        started_at=log.started_at,
        summary=timed,
    )


def _cross_check(launch: benchmark.Launch, content: bytes) -> None:
    """Checks the text as it was read against the tool's own file.

    Raises:
        BenchmarkError: If they differ.
    """
    output = tool_protos.parse_result(content, "benchmark_model")
    said, written = launch.summary, output.inference
    if said is None or written is None:
        return
    for field in ("count", "avg_ms", "median_ms"):
        text, file = getattr(said, field), getattr(written, field)
        if text is None or file is None:
            continue
        if abs(text - file) > _RELATIVE_TOLERANCE * abs(file):
            raise errors.BenchmarkError(
                "The tool must print what it writes into its result file. "
                f"Received: {field}={text} printed, {file} written."
            )


def result(
    artifact: artifact_record.Artifact,
    device: benchmark.DeviceInfo,
    options: benchmark.RuntimeOptions,
    runtime: str,
    launches: tuple[benchmark.Launch, ...],
    logs_path: pathlib.Path,
) -> benchmark.BenchmarkResult:
    """Returns the result of an artifact from its launches.

    Args:
        artifact: What was measured.
        device: Where.
        options: How.
        runtime: The tool and its build.
        launches: In order, at least one.
        logs_path: Where the logs that they were read from are kept.
    """
    return benchmark.BenchmarkResult(
        artifact=artifact,
        device=device,
        options=options,
        runtime=runtime,
        launches=launches,
        latency=summaries.latency_stats(launches, seed=options.seed),
        init_ms=float(np.median([x.init_ms for x in launches])),
        first_inference_ms=float(
            np.median([x.first_inference_ms for x in launches])
        ),
        peak_memory_bytes=summaries.peak_memory_bytes(launches),
        partitions=launches[0].partitions,
        samples_path=None,
        samples_sha256=None,
        logs_path=logs_path,
        warnings=_warnings(launches),
    )


def _warnings(launches: Sequence[benchmark.Launch]) -> tuple[str, ...]:
    found = ["Inputs were the tool's own, other random ones in each launch."]
    medians = [x.median_ms for x in launches if x.median_ms is not None]
    if len(medians) < len(launches):
        found.append("The tool prints no medians.")
    elif launches[0].source == "litert_benchmark":
        rounding = _PYTHON_RESOLUTION_MS / min(medians)
        if rounding > _LARGEST_ROUNDING:
            found.append(
                f"The tool prints hundredths of milliseconds, steps of "
                f"{rounding:.0%} of this median."
            )
    return tuple(found)
