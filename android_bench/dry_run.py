# SPDX-License-Identifier: Apache-2.0
"""What a measurement would do to a device, as adb commands.

Nothing is sent: each question gets an empty answer, so that files are pushed
and no launch is repeated. Golden vectors, which take a launch for each
example, and op profiles are left out.
"""

import pathlib
import re
import shlex
from collections.abc import Sequence

from android_bench import device, runner, shell_command, shell_tool, state
from android_bench import workspace as workspace_lib
from tflite_opt.benchmark import schedule
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, files

# Flags are plain text in a program.
_WORD = re.compile(rb"[A-Za-z][\w-]{3,}")


class _Recorder(device.Device):
    """Takes commands down instead of sending them."""

    def __init__(self, serial: str, program: pathlib.Path) -> None:
        self.serial = serial
        self.commands: list[str] = []
        self._program = program

    def shell(
        self,
        arguments: Sequence[str],
        *,
        timeout_s: float = 30,
        stdin: bytes | None = None,
    ) -> shell_command.ShellResult:
        return self.run_script(shlex.join(arguments), timeout_s=timeout_s)

    def run_script(
        self, text: str, *, timeout_s: float = 30
    ) -> shell_command.ShellResult:
        self._take_down("shell", text)
        stdout = ""
        if text.endswith("--help"):
            words = set(_WORD.findall(self._program.read_bytes()))
            stdout = " ".join(f"--{word.decode()}" for word in words)
        return shell_command.ShellResult(stdout=stdout, stderr="", exit_code=0)

    def push(
        self, local: pathlib.Path, remote: str, *, permissions: int = 0o755
    ) -> str:
        self._take_down("push", str(local), remote)
        return files.sha256_of_file(local)

    def sha256(self, remote: str) -> str | None:
        self._take_down("shell", f"sha256sum {shlex.quote(remote)}")
        return None

    def _take_down(self, *arguments: str) -> None:
        self.commands.append(shlex.join(["adb", "-s", self.serial, *arguments]))


def commands(
    serial: str,
    artifacts: Sequence[artifact_record.Artifact],
    options: benchmark.RuntimeOptions,
    conduct: runner.Conduct,
    program: pathlib.Path,
    libraries: Sequence[pathlib.Path] = (),
) -> list[str]:
    """Returns the commands of a measurement, in order.

    Args:
        serial: Of the device.
        artifacts: To be measured.
        options: How, on which CPUs included.
        conduct: How the device is treated.
        program: The tool; its flags are looked up in the file itself.
        libraries: Beside it.

    Raises:
        InputError: If the tool cannot do what the options ask for.
    """
    recorder = _Recorder(serial, program)
    used = shell_tool.ShellTool(recorder, program, libraries)
    with workspace_lib.Workspace(recorder, keep=conduct.keep) as space:
        conduct.settings.apply(recorder, space)
        used.open(space)
        models = {x.name: space.put_model(x) for x in artifacts}

        def launch(artifact: artifact_record.Artifact, index: int) -> None:
            state.read(recorder)
            used.run(
                artifact.name,
                used.arguments(models[artifact.name], options),
                cpu_mask=options.cpu_mask,
                timeout_s=options.timeout_s,
            )
            state.read(recorder)

        schedule.interleave(artifacts, options, launch)
    return recorder.commands
