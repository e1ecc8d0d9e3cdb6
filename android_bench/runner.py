# SPDX-License-Identifier: Apache-2.0
"""The Runner for an Android device.

Launches of several models alternate. Before each one the device must be cool;
one during which it was throttled is done again, and both are kept. A device
that goes away is waited for, and only what is missing is done again.
"""

import contextlib
import dataclasses
import logging
import pathlib
import threading
from collections.abc import Iterator, Sequence

from android_bench import (
    affinity,
    description,
    errors,
    exclusive,
    op_profiling,
    readiness,
    session,
    state,
    steady_link,
    tool,
    workspace,
)
from android_bench import device as device_lib
from android_bench import settings as settings_lib
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, op_profile
from tflite_opt.records import errors as record_errors

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conduct:
    """How a device is treated.

    Attributes:
        cpus: Clusters by name or a mask in hexadecimal; "" for all.
        gate: When it is cool enough for a launch.
        limits: When it is not fit to measure at all.
        force: Whether to measure although it is not fit.
        max_repeats: How often a disturbed launch is done again.
        reconnect_timeout_s: How long to wait when it went away.
        keep: Whether pushed files stay there, for the next run.
        settings: What is changed while it measures.
        energy_s: How long each model runs to estimate its energy; 0 for no
            estimate.
    """

    cpus: str = ""
    gate: readiness.ThermalGate = readiness.ThermalGate()
    limits: readiness.Limits = readiness.Limits()
    force: bool = False
    max_repeats: int = 2
    reconnect_timeout_s: float = 120.0
    keep: bool = False
    settings: settings_lib.Settings = settings_lib.Settings()
    energy_s: float = 0.0


class AndroidRunner:
    """Measures on one device; implements `records.benchmark.Runner`.

    Args:
        device: Which one.
        used: The tool that measures, on this device.
        conduct: How.

    Raises:
        DeviceError: If the device cannot be reached.
        InputError: If `cpus` does not fit it.
    """

    def __init__(
        self,
        device: device_lib.Device,
        used: tool.Tool,
        conduct: Conduct = Conduct(),  # noqa: B008
    ) -> None:
        self.device = device
        self.description = description.describe(device)
        self._tool = used
        self._conduct = conduct
        self._stopped = threading.Event()
        self._open: (
            tuple[workspace.Workspace, steady_link.SteadyLink] | None
        ) = None
        self._cpu_mask = affinity.choose(
            conduct.cpus,
            self.description.clusters,
            state.read(device).online_cpus,
        )

    @property
    def identity(self) -> str:
        """The device, its CPUs and the tool."""
        return (
            f"android {self.description.device_key} "
            f"cpus={self._cpu_mask or 'all'} {self._tool.identity}"
        )

    def stop(self) -> None:
        """Ends a `run` in another thread, which cleans up and raises.

        Raises:
            DeviceError: If the device cannot be reached.
        """
        self._stopped.set()
        if self._open is not None:
            self._tool.stop()

    def run(
        self,
        artifacts: Sequence[artifact_record.Artifact],
        options: benchmark.RuntimeOptions,
        directory: pathlib.Path,
    ) -> list[benchmark.BenchmarkResult | benchmark.BenchmarkFailure]:
        """Measures artifacts with interleaved launches; see the protocol.

        Raises:
            InputError: If the tool cannot do what the options ask for.
            DeviceError: If the device is not fit to measure, does not cool,
                or went away for good. Finished launches are kept.
        """
        if not artifacts:
            return []
        options = self._with_cpus(options)
        with self._opened() as (space, link):
            measured = session.Session(
                self.device,
                self._tool,
                space,
                link,
                session.Plan(
                    device=self.description,
                    identity=self.identity,
                    options=options,
                    gate=self._conduct.gate,
                    max_repeats=self._conduct.max_repeats,
                    directory=directory,
                    energy_s=self._conduct.energy_s,
                ),
            )
            measured.prepare(artifacts)
            measured.launch()
            measured.estimate_energy()
            return [measured.collect(artifact) for artifact in artifacts]

    def profile(
        self,
        artifact: artifact_record.Artifact,
        options: benchmark.RuntimeOptions,
    ) -> op_profile.ProfiledModel:
        """Times each operation of an artifact, in a launch of its own.

        Args:
            artifact: The file.
            options: As for `run`, or as a result of it has them.

        Raises:
            BenchmarkError: If the tool offers no profile.
            DeviceError: As for `run`.
        """
        if not options.cpu_mask:
            options = self._with_cpus(options)
        with self._opened() as (space, link):
            profiler = op_profiling.Profiler(self.device, self._tool, space)
            model = link.do(space.put_model, artifact)
            return link.do(profiler.profile, artifact, model, options)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps the device as it is made for `run` until the end of a block.

        Without it, each call cleans up.

        Raises:
            DeviceError: If the device is not fit to measure.
        """
        with self._opened():
            yield

    @contextlib.contextmanager
    def _opened(
        self,
    ) -> Iterator[tuple[workspace.Workspace, steady_link.SteadyLink]]:
        if self._open is not None:
            yield self._open
            return
        timeout_s = self._conduct.reconnect_timeout_s
        with (
            exclusive.hold(self.description.device_key, self.device.serial),
            workspace.Workspace(
                self.device,
                keep=self._conduct.keep,
                reconnect_timeout_s=timeout_s,
            ) as space,
        ):
            link = steady_link.SteadyLink(
                self.device,
                space,
                self._conduct.settings,
                self._stopped,
                timeout_s,
            )
            link.do(self._begin, space, link)
            self._open = space, link
            try:
                yield self._open
            finally:
                self._open = None

    def _begin(
        self, space: workspace.Workspace, link: steady_link.SteadyLink
    ) -> None:
        """Makes the device fit and puts the tool there.

        Raises:
            DeviceNotReadyError: If it is not fit to measure.
            DeviceTimeoutError: If it does not cool.
        """
        self._conduct.settings.apply(self.device, space)
        self._tool.open(space)
        seen = readiness.wait_until_cool(
            self.device, self._conduct.gate, sleep=link.sleep
        )
        found = readiness.obstacles(seen, self._conduct.limits)
        for obstacle in found:
            _LOG.warning("%s: %s", self.device.serial, obstacle)
        if found and not self._conduct.force:
            raise errors.DeviceNotReadyError(
                "A device must be fit to measure. Received: "
                f"{self.device.serial}: {' '.join(found)} --force measures it "
                "nevertheless."
            )

    def _with_cpus(
        self, options: benchmark.RuntimeOptions
    ) -> benchmark.RuntimeOptions:
        if not self._cpu_mask:
            return options
        if options.cpu_mask:
            raise record_errors.InputError(
                "CPUs must be chosen by --cpus or by --cpu_mask. Received: "
                f"cpus={self._conduct.cpus}, cpu_mask={options.cpu_mask}."
            )
        return dataclasses.replace(options, cpu_mask=self._cpu_mask)
