# SPDX-License-Identifier: Apache-2.0
"""What the harness for phones costs beside the tool and plain adb.

Both sides run in turn on the same phone. Excluded: the first connection, and
making the files.
"""

import dataclasses
import datetime
import pathlib
import shlex
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable

import numpy as np

from android_bench import device as device_lib
from android_bench import runner as runner_lib
from android_bench import server, shell_tool, state, workspace
from tflite_opt.records import android_launch, artifact, benchmark, files
from tflite_opt.studies import study

TITLE = "Cost of measuring on a phone"
_PLACE = "/data/local/tmp/tflite_opt_study"
_OPTIONS = benchmark.RuntimeOptions(
    warmup_runs=1, warmup_min_secs=0, num_runs=20, min_secs=0, check=False
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What is measured.

    Attributes:
        server: The adb server.
        device: The phone.
        binary: The tool on it.
        model: A small `.tflite`.
        pushed_mb: Size of the file that is pushed.
        rounds: How often both sides run, in turn.
    """

    server: server.Server
    device: device_lib.Device
    binary: pathlib.Path
    model: pathlib.Path
    pushed_mb: int
    rounds: int


def cells(setup: Setup) -> dict[str, study.Cell]:
    """Returns the study's cells."""
    return {
        "launch": lambda: measure_launch(setup),
        "push": lambda: measure_push(setup),
    }


def measure_launch(setup: Setup) -> dict[str, float]:
    """Time between launches, beside that of the tool alone on the phone."""
    used = shell_tool.ShellTool(setup.device, setup.binary)
    runner = runner_lib.AndroidRunner(setup.device, used)
    model = artifact.describe(setup.model, format="tflite")
    options = dataclasses.replace(_OPTIONS, launches=6)
    periods, alone, looks = [], [], []
    with tempfile.TemporaryDirectory() as name, runner.held():
        for index in range(setup.rounds):
            folder = pathlib.Path(name) / str(index)
            (result,) = runner.run([model], options, folder)
            if isinstance(result, benchmark.BenchmarkFailure):
                raise RuntimeError(result.message)
            periods += _periods(result)
            (command,) = {
                launch.log.command for launch in _logs(result).launches
            }
            alone += [_alone(setup.device, command) for _ in periods[-5:]]
            looks.append(_seconds(lambda: state.read(setup.device)))
    period, tool = statistics.median(periods), statistics.median(alone)
    return {
        "period_s": period,
        "tool_alone_s": tool,
        "overhead_s": period - tool,
        "of_it_one_look_at_the_phone_s": statistics.median(looks),
    }


def measure_push(setup: Setup) -> dict[str, float]:
    """A large file, verified, beside plain `adb push`."""
    ours, plain, again = [], [], []
    with tempfile.TemporaryDirectory() as name:
        local = pathlib.Path(name) / "pushed"
        random = np.random.default_rng(0)
        local.write_bytes(random.bytes(setup.pushed_mb * 1_000_000))
        sha256 = files.sha256_of_file(local)
        for _ in range(setup.rounds):
            plain.append(_seconds(lambda: _plain_push(setup, local)))
            setup.device.remove(_PLACE)
            with workspace.Workspace(setup.device, keep=True) as space:
                ours.append(
                    _seconds(lambda s=space: s.put(local, sha256, "f"))  # type: ignore
                )
            with workspace.Workspace(setup.device) as space:
                again.append(
                    _seconds(lambda s=space: s.put(local, sha256, "f"))  # type: ignore
                )
    return {
        "megabytes": float(setup.pushed_mb),
        "ours_s": statistics.median(ours),
        "adb_push_s": statistics.median(plain),
        "times_adb_push": statistics.median(ours) / statistics.median(plain),
        "second_run_s": statistics.median(again),
    }


def _logs(result: benchmark.BenchmarkResult) -> android_launch.AndroidLogs:
    (path,) = result.evidence
    return android_launch.AndroidLogs.load(path)


def _periods(result: benchmark.BenchmarkResult) -> list[float]:
    starts = [
        datetime.datetime.fromisoformat(launch.started_at).timestamp()
        for launch in result.launches
    ]
    return np.diff(starts).tolist()


def _alone(device: device_lib.Device, command: tuple[str, ...]) -> float:
    """Returns the seconds of a launch by the phone's own clock."""
    done = device.run_script(
        f"a=$(date +%s%N); {shlex.join(command)} >/dev/null 2>&1; "
        'b=$(date +%s%N); echo "$a $b"'
    )
    start_ns, end_ns = map(int, done.stdout.split())
    return (end_ns - start_ns) / 1e9


def _plain_push(setup: Setup, local: pathlib.Path) -> None:
    command = [str(server.find_adb()), "-H", setup.server.address.host]
    command += ["-P", str(setup.server.address.port)]
    command += ["-s", setup.device.serial, "push", str(local), _PLACE]
    subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
