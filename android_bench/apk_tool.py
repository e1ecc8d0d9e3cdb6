# SPDX-License-Identifier: Apache-2.0
"""TFLite's benchmark app: the classic tool, in the foreground.

Android gives an app in the foreground other CPUs than a program of adb's
shell. The app has no exit code and prints into the device's log only, so each
launch carries a nonce in its flags, by which its lines are found.

References:
    tflite/tools/benchmark/android/README.md in
    https://github.com/google-ai-edge/LiteRT
"""

import datetime
import pathlib
import re
import time
import uuid
from collections.abc import Mapping, Sequence

from android_bench import device as device_lib
from android_bench import errors, state, workspace
from tflite_opt.benchmark import tool_binary
from tflite_opt.records import benchmark, files, tool_output
from tflite_opt.records import errors as record_errors

PACKAGE = "org.tensorflow.lite.benchmark"
_ACTIVITY = f"{PACKAGE}/.BenchmarkModelActivity"
_NONCE = "benchmark_name"
_LOG = (
    "logcat -d -v threadtime -s tflite:V tflite_BenchmarkModelActivity:V "
    "AndroidRuntime:E libc:F"
)
# `10-31 10:31:07.123  4711  4712 I tag: message`
_PID = re.compile(r"^\S+ \S+ +(\d+) ")
_ERROR = re.compile(r" [EF] tflite *: (.*)$")
_END = ("Inference timings in us:", "Benchmarking failed")
_MARKER = "==> processes: "
_INSTALL_TIMEOUT_S = 120.0
_POLL_S = 0.5
# The app has no help, and may write no files where adb can read them.
_FLAGS = frozenset(
    {
        _NONCE,
        "external_delegate_path",
        "graph",
        "gpu_backend",
        "gpu_precision_loss_allowed",
        "max_secs",
        "min_secs",
        "nnapi_accelerator_name",
        "nnapi_allow_fp16",
        "nnapi_execution_preference",
        "num_runs",
        "num_threads",
        "report_peak_memory_footprint",
        "require_full_delegation",
        "use_gpu",
        "use_nnapi",
        "use_xnnpack",
        "warmup_min_secs",
        "warmup_runs",
        "xnnpack_force_fp16",
    }
)


class ApkTool:
    """The app on one device; `open` it before anything else.

    Args:
        device: Where it runs.
        path: The package.

    Raises:
        InputError: If it is not there.
    """

    def __init__(self, device: device_lib.Device, path: pathlib.Path) -> None:
        if not path.is_file():
            raise record_errors.InputError(
                "--runner=apk needs the package of TFLite's benchmark app. "
                f"Received: benchmark_binary={str(path)!r}, which is not there."
            )
        self._device = device
        self._path = path
        self._sha256 = files.sha256_of_file(path)
        self.binary = tool_binary.Binary(
            path=path, sha256=self._sha256, tool="benchmark_model", flags=_FLAGS
        )

    @property
    def sha256(self) -> str:
        """Of the package."""
        return self._sha256

    @property
    def identity(self) -> str:
        """The app and its build."""
        return f"apk {self.sha256[:12]}"

    @property
    def runtime(self) -> str:
        """The same."""
        return self.identity

    def open(self, space: workspace.Workspace) -> None:
        """Installs the app; leaving the workspace removes it, if it is new.

        Raises:
            DeviceError: If it cannot be installed, or the screen is locked.
        """
        if state.read(self._device).is_locked:
            raise errors.DeviceNotReadyError(
                "An app needs an unlocked screen. Received: "
                f"{self._device.serial}, which is locked. Unlock it."
            )
        if self._device.shell(["pm", "path", PACKAGE]).exit_code:
            space.undo_at_end(f"pm uninstall {PACKAGE}")
        remote = space.put(self._path, self.sha256, "benchmark_model.apk")
        done = self._device.shell(
            ["pm", "install", "-r", "-d", "-g", remote],
            timeout_s=_INSTALL_TIMEOUT_S,
        )
        if "Success" not in done.stdout:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise errors.DeviceError(
                "The device must be able to install the app. Received: "
                f"{str(self._path)!r}: {said[-1] if said else 'no reason'}."
            )

    def knows(self, *flags: str) -> bool:
        """Returns whether the app has all of these flags, of some use."""
        return self.binary.flags.issuperset(flags)

    def arguments(
        self,
        model: str,
        options: benchmark.RuntimeOptions,
        further: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Returns the flags of a launch; see `ShellTool.arguments`.

        Raises:
            InputError: If the app cannot do what is asked for.
        """
        found = self.binary.arguments(model, options, "", further)
        if any(re.search(r"\s", flag) for flag in found):
            raise record_errors.InputError(
                "Flags of the app must be without spaces. "
                f"Received: {' '.join(found)!r}"
            )
        return found

    def run(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        cpu_mask: str,
        timeout_s: float,
    ) -> tool_output.ToolLog:
        """Starts the app once and reads its log; see `ShellTool.run`.

        Raises:
            InputError: If it shall be kept on some CPUs.
            BenchmarkError: If it fails, crashes or takes longer.
        """
        if cpu_mask:
            raise record_errors.InputError(
                "Android chooses the CPUs of an app. Received: "
                f"cpu_mask={cpu_mask}. Leave out --cpus, or take "
                "--runner=android."
            )
        nonce = uuid.uuid4().hex
        flags = " ".join([*arguments, f"--{_NONCE}={nonce}"])
        command = ["am", "start", "-S", "-n", _ACTIVITY, "--es", "args", flags]
        started_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
        done = self._device.shell(command, timeout_s=timeout_s)
        # `am` tells of an unknown activity on stderr, with exit code 0.
        if done.exit_code or "Error" in done.stderr + done.stdout:
            raise record_errors.BenchmarkError(
                f"A launch of {name!r} failed: "
                f"{(done.stderr or done.stdout).strip().splitlines()[-1]}"
            )
        try:
            text = self._wait(name, nonce, timeout_s)
        except BaseException:
            self.stop()
            raise
        return tool_output.ToolLog(
            command=tuple(command),
            started_at=started_at,
            stdout=text,
            stderr="",
        )

    def read_result(self) -> bytes | None:
        """Returns None: the app has no place for a result file."""
        return None

    def stop(self) -> None:
        """Ends a launch that another thread waits for."""
        self._device.shell(["am", "force-stop", PACKAGE])

    def _wait(self, name: str, nonce: str, timeout_s: float) -> str:
        deadline = time.monotonic() + timeout_s
        was_over = False
        while time.monotonic() < deadline:
            done = self._device.run_script(
                f'{_LOG}; echo "{_MARKER}$(pidof {PACKAGE})"'
            )
            log, _, process = done.stdout.rpartition(_MARKER)
            lines = lines_of(log, nonce)
            is_over = any(end in line for line in lines for end in _END)
            if is_over and was_over:
                # Memory follows the last line that all versions have.
                return _checked(name, lines)
            if not process.strip() and was_over:
                said = lines[-1] if lines else "nothing in the device's log"
                raise record_errors.BenchmarkError(
                    f"A launch of {name!r} ended before it was done: {said}"
                )
            was_over = is_over or not process.strip()
            time.sleep(_POLL_S)
        raise record_errors.BenchmarkError(
            f"A launch of {name!r} took longer than {timeout_s:g} s and was "
            "ended. Raise --timeout_s, and look whether the screen is locked."
        )


def lines_of(log: str, nonce: str) -> list[str]:
    """Returns the lines of the process that was started with a nonce.

    Args:
        log: As `logcat -v threadtime` prints it.
        nonce: In the line that tells its flags.
    """
    found: list[str] = []
    process = None
    for line in log.splitlines():
        match = _PID.match(line)
        if match is None:
            continue
        if nonce in line:
            process = match[1]
        if match[1] == process:
            found.append(line)
    return found


def _checked(name: str, lines: Sequence[str]) -> str:
    text = "\n".join(lines) + "\n"
    if "Benchmarking failed" in text:
        said = [match[1] for line in lines if (match := _ERROR.search(line))]
        raise record_errors.BenchmarkError(
            f"A launch of {name!r} failed: {said[0] if said else 'no reason'}"
        )
    return text
