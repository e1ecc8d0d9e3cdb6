# SPDX-License-Identifier: Apache-2.0
"""A program called `benchmark_model` that adb's shell runs on a device.

Its processes are in the scheduling group of a shell, not in that of an app in
the foreground; `apk_tool` measures there.
"""

import dataclasses
import datetime
import pathlib
import shlex
import tempfile
from collections.abc import Mapping, Sequence

from android_bench import device as device_lib
from android_bench import errors, workspace
from tflite_opt.benchmark import tool_binary, tool_launches
from tflite_opt.records import benchmark, files, tool_output
from tflite_opt.records import errors as record_errors

NAME = "benchmark_model"
RESULT = "result.pb"
_PID = "pid"
_HELP_TIMEOUT_S = 60.0


class ShellTool:
    """A tool on one device; `open` it before anything else.

    Args:
        device: Where it runs.
        path: The program, built for the device.
        libraries: Put where it finds them, as an accelerator of LiteRT. A
            tool flag whose value is the path of one gets its place there.

    Raises:
        InputError: If one of the files is not there.
    """

    def __init__(
        self,
        device: device_lib.Device,
        path: pathlib.Path,
        libraries: Sequence[pathlib.Path] = (),
    ) -> None:
        self._device = device
        self._path = path
        self._hashes = {x: _sha256(x) for x in (path, *libraries)}
        self._libraries = tuple(libraries)

    @property
    def identity(self) -> str:
        """The files it is made of."""
        return " ".join([NAME, *(x[:12] for x in self._hashes.values())])

    @property
    def runtime(self) -> str:
        """The tool and the files it is made of."""
        return self.identity.replace(NAME, self.binary.tool, 1)

    @property
    def sha256(self) -> str:
        """Of the program."""
        return self._hashes[self._path]

    def open(self, space: workspace.Workspace) -> None:
        """Pushes what is missing and asks the program for its flags.

        Raises:
            InputError: If the program cannot be run there or is none of the
                known ones.
            DeviceError: If it cannot be pushed.
        """
        self._space = space
        self._remote = space.put(self._path, self.sha256, NAME)
        self._remote_libraries = {
            str(x): space.put(x, self._hashes[x], x.name)
            for x in self._libraries
        }
        # TFLite's tool fails after printing its help.
        done = self._device.run_script(
            self._command(["--help"]), timeout_s=_HELP_TIMEOUT_S
        )
        found = tool_binary.recognize(done.stdout + done.stderr)
        if found is None:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise record_errors.InputError(
                "`benchmark_binary` must be TFLite's or LiteRT's "
                "benchmark_model, built for the device. Received: "
                f"benchmark_binary={str(self._path)!r}, whose --help on "
                f"{self._device.serial} gave {done.exit_code} and "
                f"{said[-1] if said else 'nothing'!r}."
            )
        tool, flags = found
        self.binary = tool_binary.Binary(
            path=self._path, sha256=self.sha256, tool=tool, flags=flags
        )

    def knows(self, *flags: str) -> bool:
        """Returns whether the program has all of these flags."""
        return self.binary.flags.issuperset(flags)

    def arguments(
        self,
        model: str,
        options: benchmark.RuntimeOptions,
        further: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Returns the flags of a launch.

        Args:
            model: Path of the `.tflite` on the device.
            options: How to run it; `cpu_mask` is for `run`.
            further: Flags beside them.

        Raises:
            InputError: If the tool cannot do what is asked for.
        """
        return [
            self._with_library(x)
            for x in self.binary.arguments(
                model,
                dataclasses.replace(options, cpu_mask=""),
                f"{self._space.scratch}/{RESULT}",
                further,
            )
        ]

    def run(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        cpu_mask: str,
        timeout_s: float,
    ) -> tool_output.ToolLog:
        """Runs the tool once, and returns what it printed.

        Args:
            name: Of the artifact, for messages.
            arguments: From `arguments`.
            cpu_mask: As for `taskset`; "" for all CPUs.
            timeout_s: The longest it may take.

        Raises:
            BenchmarkError: If it fails, crashes or takes longer.
            DeviceLostError: If the device went away; nothing runs there when
                it is back.
        """
        command = self._command(arguments, cpu_mask)
        scratch = self._space.scratch
        started_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
        try:
            done = self._device.run_script(
                f"rm -f {scratch}/{RESULT}; echo $$ > {scratch}/{_PID}; "
                f"{command}",
                timeout_s=timeout_s,
            )
        except errors.DeviceTimeoutError as error:
            raise record_errors.BenchmarkError(
                f"A launch of {name!r} took longer than {timeout_s:g} s and "
                "was killed. Raise --timeout_s."
            ) from error
        tool_launches.require_success(
            name, done.exit_code, done.stdout, done.stderr
        )
        return tool_output.ToolLog(
            command=tuple(shlex.split(command.removeprefix("exec "))),
            started_at=started_at,
            stdout=done.stdout,
            stderr=done.stderr,
        )

    def read_result(self) -> bytes | None:
        """Returns the result file of the last launch; None if it has none.

        Raises:
            BenchmarkError: If the tool wrote none, although it can.
        """
        if not self.knows("result_file_path"):
            return None
        try:
            return read_file(self._device, f"{self._space.scratch}/{RESULT}")
        except errors.TransferError as error:
            raise record_errors.BenchmarkError(
                f"The tool must write a result file. Received: {error}"
            ) from error

    def stop(self) -> None:
        """Kills a launch that another thread waits for."""
        self._device.run_script(
            f"kill -9 -$(cat {self._space.scratch}/{_PID}) 2>/dev/null"
        )

    def _command(self, arguments: Sequence[str], cpu_mask: str = "") -> str:
        folders = dict.fromkeys(
            remote.rpartition("/")[0]
            for remote in self._remote_libraries.values()
        )
        command = ["taskset", cpu_mask] if cpu_mask else []
        if folders:
            command += ["env", f"LD_LIBRARY_PATH={':'.join(folders)}"]
        return f"exec {shlex.join([*command, self._remote, *arguments])}"

    def _with_library(self, flag: str) -> str:
        name, equals, value = flag.partition("=")
        return name + equals + self._remote_libraries.get(value, value)


def read_file(device: device_lib.Device, remote: str) -> bytes:
    """Returns the content of a small file on a device.

    Raises:
        TransferError: If it is not there.
    """
    with tempfile.TemporaryDirectory() as folder:
        local = pathlib.Path(folder) / "file"
        device.pull(remote, local)
        return local.read_bytes()


def _sha256(path: pathlib.Path) -> str:
    if not path.is_file():
        raise record_errors.InputError(
            "What runs on a device must be a file. "
            f"Received: {str(path)!r}, which is not there."
        )
    return files.sha256_of_file(path)
