# SPDX-License-Identifier: Apache-2.0
"""One measurement of several models on one device, from start to results."""

import dataclasses
import logging
import pathlib
from collections.abc import Mapping, Sequence

from android_bench import device as device_lib
from android_bench import (
    energy,
    golden_replay,
    readiness,
    results,
    state,
    steady_link,
    workspace,
)
from android_bench import tool as tool_lib
from tflite_opt.benchmark import schedule, tool_launches
from tflite_opt.records import android, android_launch, benchmark, tool_output
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import energy as energy_record
from tflite_opt.records import errors as record_errors

_LOG = logging.getLogger(__name__)
_WATCH_MEMORY = {"report_peak_memory_footprint": "true"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a session does, and where its files go.

    Attributes:
        device: What the device is.
        identity: Of the runner, which names launches.
        options: How models are run, on which CPUs included.
        gate: When the device is cool enough for a launch.
        max_repeats: How often a disturbed launch is done again.
        directory: Gets logs and launches.
        energy_s: How long each model runs to estimate its energy; 0 for no
            estimate.
    """

    device: android.AndroidDevice
    identity: str
    options: benchmark.RuntimeOptions
    gate: readiness.ThermalGate
    max_repeats: int
    directory: pathlib.Path
    energy_s: float = 0.0


class Session:
    """Measures models: `prepare`, `launch`, then `collect` each.

    Args:
        device: Ready and fit.
        used: The tool, open.
        space: The workspace, entered.
        link: Does the work.
        plan: What to do.
    """

    def __init__(
        self,
        device: device_lib.Device,
        used: tool_lib.Tool,
        space: workspace.Workspace,
        link: steady_link.SteadyLink,
        plan: Plan,
    ) -> None:
        self._device = device
        self._tool = used
        self._space = space
        self._link = link
        self._plan = plan
        self._artifacts: dict[str, artifact_record.Artifact] = {}
        self._models: dict[str, str] = {}
        self._checks: dict[str, benchmark.OutputCheck | None] = {}
        self._memory: dict[str, tool_output.ToolLog] = {}
        self._energies: dict[str, energy_record.EnergyEstimate] = {}
        self._failures: dict[str, str] = {}
        # As it was after the launch before, where nothing happened since.
        self._state: android.DeviceState | None = None

    def prepare(self, artifacts: Sequence[artifact_record.Artifact]) -> None:
        """Pushes models, checks what they compute and watches their memory.

        Raises:
            InputError: If the tool cannot do what the options ask for.
        """
        # Bad input is refused before any work.
        self._tool.arguments("", self._plan.options)
        for artifact in artifacts:
            try:
                self._prepare(artifact)
            except record_errors.BenchmarkError as error:
                self._failures[artifact.name] = str(error)
                _LOG.warning("%s", error)

    def launch(self) -> None:
        """Launches what could be prepared.

        Raises:
            DeviceError: If the device does not cool, or went away for good.
        """
        options = self._plan.options
        ready = [x for x in self._models if x not in self._failures]
        self._failures |= schedule.interleave(
            [self._artifacts[name] for name in ready],
            options,
            self._launch_once,
        )

    def estimate_energy(self) -> None:
        """Estimates the energy of what could be launched, if asked for.

        Raises:
            DeviceError: If the device went away for good.
        """
        duration_s = self._plan.energy_s
        if not duration_s:
            return
        try:
            meter = self._link.do(
                energy.Meter, self._device, self._tool, duration_s
            )
            for name, model in self._models.items():
                if name not in self._failures:
                    self._energies[name] = self._link.do(
                        meter.estimate, name, model, self._plan.options
                    )
        except record_errors.BenchmarkError as error:
            _LOG.warning("%s", error)

    def collect(
        self, artifact: artifact_record.Artifact
    ) -> benchmark.BenchmarkResult | benchmark.BenchmarkFailure:
        """Returns the result of an artifact, and removes its launches."""
        name = artifact.name
        if name in self._failures:
            return benchmark.BenchmarkFailure(
                artifact=artifact, message=self._failures[name]
            )
        paths = [
            self._path(artifact, index)
            for index in range(self._plan.options.launches)
        ]
        logs = self._logs(name, paths)
        logs_path = self._plan.directory / f"{name}.logs.json"
        logs.save(logs_path)
        for path in paths:
            path.unlink()
        found = results.result(
            artifact,
            logs,
            logs_path,
            options=self._plan.options,
            runtime=self._tool.runtime,
        )
        check = self._checks.get(name)
        return dataclasses.replace(
            found,
            check=check,
            energy=self._energies.get(name),
            warnings=(*found.warnings, *(check.warnings if check else ())),
        )

    def _prepare(self, artifact: artifact_record.Artifact) -> None:
        name = artifact.name
        self._artifacts[name] = artifact
        self._models[name] = self._link.do(self._space.put_model, artifact)
        if self._plan.options.check:
            self._checks[name] = self._link.do(self._check, artifact)
        if self._tool.knows(*_WATCH_MEMORY):
            self._memory[name] = self._link.do(
                self._run,
                artifact,
                tool_lib.once(self._plan.options),
                _WATCH_MEMORY,
            )

    def _check(
        self, artifact: artifact_record.Artifact
    ) -> benchmark.OutputCheck | None:
        return golden_replay.check(
            artifact,
            self._models[artifact.name],
            self._plan.options,
            golden_replay.Place(
                device=self._device, used=self._tool, space=self._space
            ),
        )

    def _launch_once(
        self, artifact: artifact_record.Artifact, index: int
    ) -> None:
        path = self._path(artifact, index)
        if path.exists():
            return
        attempts: list[android_launch.AndroidLaunch] = []
        while len(attempts) <= self._plan.max_repeats:
            found = self._link.do(self._attempt, artifact)
            attempts.append(found)
            if not found.disturbances:
                break
            _LOG.warning(
                "%s: a launch of %s was disturbed: %s",
                self._device.serial,
                artifact.name,
                "; ".join(found.disturbances),
            )
        android_launch.AndroidAttempts(attempts=tuple(attempts)).save(path)

    def _attempt(
        self, artifact: artifact_record.Artifact
    ) -> android_launch.AndroidLaunch:
        before = self._cool_state()
        log = self._run(artifact, self._plan.options)
        result = self._tool.read_result()
        after = state.read(self._device)
        tool_launches.require_usable(artifact.name, log, result)
        self._state = after
        return android_launch.AndroidLaunch(
            log=log,
            before=before,
            after=after,
            disturbances=readiness.disturbances(before, after),
        )

    def _cool_state(self) -> android.DeviceState:
        last, self._state = self._state, None
        if last is not None and not readiness.heat(last, self._plan.gate):
            return last
        return readiness.wait_until_cool(
            self._device, self._plan.gate, sleep=self._link.sleep
        )

    def _run(
        self,
        artifact: artifact_record.Artifact,
        options: benchmark.RuntimeOptions,
        further: Mapping[str, str] | None = None,
    ) -> tool_output.ToolLog:
        return self._tool.run(
            artifact.name,
            self._tool.arguments(self._models[artifact.name], options, further),
            cpu_mask=options.cpu_mask,
            timeout_s=options.timeout_s,
        )

    def _path(
        self, artifact: artifact_record.Artifact, index: int
    ) -> pathlib.Path:
        plan = self._plan
        return tool_launches.path_of(
            plan.directory, artifact, plan.identity, plan.options, index
        )

    def _logs(
        self, name: str, paths: Sequence[pathlib.Path]
    ) -> android_launch.AndroidLogs:
        stored = [
            android_launch.AndroidAttempts.load(path).attempts for path in paths
        ]
        return android_launch.AndroidLogs(
            device=self._plan.device,
            binary_sha256=self._tool.sha256,
            launches=tuple(attempts[-1] for attempts in stored),
            repeated=tuple(x for attempts in stored for x in attempts[:-1]),
            memory=self._memory.get(name),
        )
