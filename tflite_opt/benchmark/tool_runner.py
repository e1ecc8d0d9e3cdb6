# SPDX-License-Identifier: Apache-2.0
"""The Runner for a program called `benchmark_model` on this machine.

No version of it prints single samples, so a launch holds the statistics that
it prints, and the raw output is kept. Times are the tool's own: its inputs are
random and differ between launches, and only its invocation is timed.
"""

import datetime
import pathlib
import tempfile
from collections.abc import Sequence

from tflite_opt import child_process
from tflite_opt.benchmark import (
    desktop,
    schedule,
    tool_binary,
    tool_launches,
)
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors
from tflite_opt.records import tool_output as tool_record

# On Linux a process's high-water mark of memory starts from that of the
# process that started it, and the tools print differences to it; a shell is
# small.
_SMALL_PARENT = ("/bin/sh", "-c", '"$@"; exit $?', "sh")


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
                tool_launches.path_of(
                    directory, artifact, self.identity, options, index
                ),
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
            tool_launches.require_usable(
                artifact.name,
                log,
                result_path.read_bytes() if result_path.exists() else None,
            )
        log.save(path)

    def _collect(
        self,
        artifact: artifact_record.Artifact,
        options: benchmark.RuntimeOptions,
        directory: pathlib.Path,
    ) -> benchmark.BenchmarkResult:
        paths = [
            tool_launches.path_of(
                directory, artifact, self.identity, options, index
            )
            for index in range(options.launches)
        ]
        logs = tuple(tool_record.ToolLog.load(path) for path in paths)
        logs_path = directory / f"{artifact.name}.logs.json"
        tool_record.ToolLogs(
            binary_sha256=self._binary.sha256, launches=logs
        ).save(logs_path)
        for path in paths:
            path.unlink()
        return tool_launches.result(
            artifact,
            desktop.describe_device(),
            options,
            self.identity,
            tuple(tool_launches.read_log(log) for log in logs),
            logs_path,
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
    tool_launches.require_success(
        name, done.returncode, done.stdout, done.stderr
    )
    return tool_record.ToolLog(
        command=tuple(command),
        started_at=started_at,
        stdout=done.stdout,
        stderr=done.stderr,
    )
