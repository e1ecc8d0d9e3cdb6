# SPDX-License-Identifier: Apache-2.0
"""The Runner for a program called `benchmark_model` on this machine.

No version of it prints single samples, so a launch holds the statistics that
it prints, and the raw output is kept. Times are the tool's own: its inputs are
random and differ between launches, and only its invocation is timed.
"""

import datetime
import json
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np

from tflite_opt import child_process
from tflite_opt.benchmark import (
    desktop,
    schedule,
    summaries,
    tool_binary,
    tool_output,
    tool_protos,
)
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, files
from tflite_opt.records import tool_output as tool_record

# On Linux a process's high-water mark of memory starts from that of the
# process that started it, and the tools print differences to it; a shell is
# small.
_SMALL_PARENT = ("/bin/sh", "-c", '"$@"; exit $?', "sh")
_SIGNAL_EXIT_CODE = 128
_PYTHON_RESOLUTION_MS = 0.01
_LARGEST_ROUNDING = 0.01
# Six digits in text, 32 bits in the file.
_RELATIVE_TOLERANCE = 1e-4


class BenchmarkModelRunner:
    """Measures with a tool; implements `records.benchmark.Runner`.

    Raises:
        InputError: If the program is none of the known ones.
    """

    def __init__(self, binary: pathlib.Path) -> None:
        self._binary = tool_binary.identify(binary)

    @property
    def identity(self) -> str:
        """The tool and its build."""
        return self._binary.identity

    def run(
        self,
        artifacts: Sequence[artifact_record.Artifact],
        options: benchmark.RuntimeOptions,
        directory: pathlib.Path,
    ) -> list[benchmark.BenchmarkResult | benchmark.BenchmarkFailure]:
        """Measures artifacts with interleaved launches; see the protocol.

        Raises:
            InputError: If the tool cannot do what the options ask for.
        """
        for artifact in artifacts:
            self._binary.command(artifact.path, options, directory)
        failures = schedule.interleave(
            artifacts,
            options,
            lambda artifact, index: self._launch_once(
                artifact,
                options,
                self._path(artifact, options, directory, index),
            ),
        )
        return [
            benchmark.BenchmarkFailure(
                artifact=artifact, message=failures[artifact.name]
            )
            if artifact.name in failures
            else self._collect(artifact, options, directory)
            for artifact in artifacts
        ]

    def _path(
        self,
        artifact: artifact_record.Artifact,
        options: benchmark.RuntimeOptions,
        directory: pathlib.Path,
        index: int,
    ) -> pathlib.Path:
        """Names a launch by all that it depends on, so that none is reused."""
        content = (
            f"{artifact.sha256} {self.identity} {json.dumps(options.to_json())}"
        )
        key = files.sha256_of_text(content)[:16]
        return directory / "launches" / f"{artifact.name}.{key}.{index}.json"

    def _launch_once(
        self,
        artifact: artifact_record.Artifact,
        options: benchmark.RuntimeOptions,
        path: pathlib.Path,
    ) -> None:
        if path.exists():
            return
        with tempfile.TemporaryDirectory() as folder:
            result_path = pathlib.Path(folder) / "result.pb"
            command = self._binary.command(artifact.path, options, result_path)
            log = _run(command, artifact.name, options.timeout_s)
            try:
                found = read_log(log)
                if result_path.exists():
                    _cross_check(found, result_path.read_bytes())
            except errors.BenchmarkError as error:
                raise errors.BenchmarkError(
                    f"A launch of {artifact.name!r} cannot be used: {error}"
                ) from error
        log.save(path)

    def _collect(
        self,
        artifact: artifact_record.Artifact,
        options: benchmark.RuntimeOptions,
        directory: pathlib.Path,
    ) -> benchmark.BenchmarkResult:
        paths = [
            self._path(artifact, options, directory, index)
            for index in range(options.launches)
        ]
        logs = tuple(tool_record.ToolLog.load(path) for path in paths)
        logs_path = directory / f"{artifact.name}.logs.json"
        tool_record.ToolLogs(
            binary_sha256=self._binary.sha256, launches=logs
        ).save(logs_path)
        for path in paths:
            path.unlink()
        launches = tuple(read_log(log) for log in logs)
        return benchmark.BenchmarkResult(
            artifact=artifact,
            device=desktop.describe_device(),
            options=options,
            runtime=self.identity,
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


def _run(
    command: Sequence[str], name: str, timeout_s: float
) -> tool_record.ToolLog:
    started_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
    try:
        done = child_process.run(
            [*_SMALL_PARENT, *command], timeout_s=timeout_s
        )
    except child_process.ChildError as error:
        raise errors.BenchmarkError(
            f"A launch of {name!r} took longer than {timeout_s:g} s and was "
            "killed. Raise --timeout_s."
        ) from error
    if done.returncode > _SIGNAL_EXIT_CODE:
        raise errors.BenchmarkError(
            f"A launch of {name!r} crashed with signal "
            f"{done.returncode - _SIGNAL_EXIT_CODE}. "
            "The file is not safe to run here."
        )
    if done.returncode:
        said = tool_output.error_messages(done.stdout, done.stderr)
        said += (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise errors.BenchmarkError(
            f"A launch of {name!r} failed: "
            f"{said[0] if said else f'exit code {done.returncode}'}"
        )
    return tool_record.ToolLog(
        command=tuple(command),
        started_at=started_at,
        stdout=done.stdout,
        stderr=done.stderr,
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
