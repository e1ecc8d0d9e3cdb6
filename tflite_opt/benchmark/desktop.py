# SPDX-License-Identifier: Apache-2.0
"""The Runner for this machine."""

import dataclasses
import importlib.metadata
import logging
import os
import pathlib
import platform
from collections.abc import Sequence
from typing import get_args

import numpy as np

from tflite_opt.benchmark import (
    launching,
    local_machine,
    output_check,
    schedule,
    spread,
    statistics,
    summaries,
)
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, files

_LOG = logging.getLogger(__name__)
_KEY_SALT = "tflite_opt device"


def describe_device() -> benchmark.DeviceInfo:
    """Returns what this machine is."""
    node = pathlib.Path("/etc/machine-id")
    identity = node.read_text() if node.is_file() else platform.node()
    digest = files.sha256_of_text(f"{_KEY_SALT} {identity}")
    return benchmark.DeviceInfo(
        device_key=digest[:16],
        model=local_machine.processor(),
        abi=platform.machine(),
        os=f"{platform.system()} {platform.release()}",
        num_cpus=len(local_machine.usable_cpus()) or os.cpu_count() or 1,
    )


class DesktopRunner:
    """Measures on this machine; implements `records.benchmark.Runner`."""

    identity = "desktop"

    def run(
        self,
        artifacts: Sequence[artifact_record.Artifact],
        options: benchmark.RuntimeOptions,
        directory: pathlib.Path,
    ) -> list[benchmark.BenchmarkResult | benchmark.BenchmarkFailure]:
        """Measures artifacts with interleaved launches; see the protocol.

        Raises:
            InputError: If the options are not for this machine.
        """
        _reject_foreign(options)
        local_machine.check_mask(options)
        session = _Session(artifacts, options, directory)
        session.prepare()
        session.launch()
        return [session.collect(artifact) for artifact in artifacts]


class _Session:
    """Artifacts that are measured together."""

    def __init__(
        self,
        artifacts: Sequence[artifact_record.Artifact],
        options: benchmark.RuntimeOptions,
        directory: pathlib.Path,
    ) -> None:
        self._artifacts = artifacts
        self._options = options
        self._directory = directory
        self._runtime = "ai-edge-litert " + importlib.metadata.version(
            "ai-edge-litert"
        )
        self._jobs: dict[str, launching.Job] = {}
        self._checks: dict[str, benchmark.OutputCheck | None] = {}
        self._failures: dict[str, str] = {}

    def prepare(self) -> None:
        """Finds out what can be launched, and whether it computes well."""
        for artifact in self._artifacts:
            name = artifact.name
            try:
                job = launching.prepare(
                    artifact, self._options, self._path(artifact, "inputs")
                )
                if self._options.check:
                    self._checks[name] = output_check.check(job)
                self._jobs[name] = job
            except (errors.InputError, errors.BenchmarkError) as error:
                self._fail(name, error)

    def launch(self) -> None:
        """Launches what could be prepared."""
        ready = [x for x in self._artifacts if x.name in self._jobs]
        self._failures |= schedule.interleave(
            ready, self._options, self._launch_once
        )

    def _launch_once(
        self, artifact: artifact_record.Artifact, index: int
    ) -> None:
        path = self._path(artifact, str(index))
        if not path.exists():
            content = launching.launch(self._jobs[artifact.name])
            files.write_bytes(path, content)

    def _fail(self, name: str, error: errors.TfliteOptError) -> None:
        self._failures[name] = str(error)
        _LOG.warning("%s", error)

    def collect(
        self, artifact: artifact_record.Artifact
    ) -> benchmark.BenchmarkResult | benchmark.BenchmarkFailure:
        """Returns the result of an artifact, and removes its launches."""
        paths = [
            self._path(artifact, str(index))
            for index in range(self._options.launches)
        ]
        try:
            if artifact.name in self._failures:
                return benchmark.BenchmarkFailure(
                    artifact=artifact, message=self._failures[artifact.name]
                )
            return self._result(artifact, paths)
        finally:
            for path in (*paths, self._path(artifact, "inputs")):
                path.unlink(missing_ok=True)

    def _result(
        self,
        artifact: artifact_record.Artifact,
        paths: Sequence[pathlib.Path],
    ) -> benchmark.BenchmarkResult:
        options, device = self._options, describe_device()
        launches, samples = zip(*map(launching.read, paths), strict=True)
        samples_path = self._directory / f"{artifact.name}.samples.npz"
        files.write_npz(
            samples_path,
            {f"launch_{i}_ns": array for i, array in enumerate(samples)},
        )
        check = self._checks.get(artifact.name)
        return benchmark.BenchmarkResult(
            artifact=artifact,
            device=device,
            options=options,
            runtime=self._runtime,
            launches=launches,
            latency=statistics.latency_stats(samples, seed=options.seed),
            init_ms=float(np.median([x.init_ms for x in launches])),
            first_inference_ms=float(
                np.median([x.first_inference_ms for x in launches])
            ),
            peak_memory_bytes=summaries.peak_memory_bytes(launches),
            partitions=launches[0].partitions,
            samples_path=samples_path,
            samples_sha256=files.sha256_of_file(samples_path),
            warnings=(
                *_thread_warnings(options, device.num_cpus),
                *spread.noise_warnings(launches),
                *spread.warm_up_warnings(launches),
                *(check.warnings if check else ()),
            ),
            check=check,
            concurrent=(
                spread.concurrent_stats(launches, samples, options.concurrency)
                if options.concurrency > 1
                else None
            ),
            drift=(
                spread.drift(
                    samples[0], len(samples[0]) / launches[0].throughput_per_s
                )
                if options.soak_s
                else ()
            ),
            energy=summaries.mean_energy(launches),
        )

    def _path(
        self, artifact: artifact_record.Artifact, part: str
    ) -> pathlib.Path:
        """Names a file by all that it depends on, so that none is reused."""
        # With more launches than before, those that are there still count.
        options = dataclasses.replace(self._options, launches=1)
        content = f"{artifact.sha256} {self._runtime} {options.to_json()}"
        key = files.sha256_of_text(content)[:16]
        folder = self._directory / "launches"
        return folder / f"{artifact.name}.{key}.{part}.npz"


def _reject_foreign(options: benchmark.RuntimeOptions) -> None:
    if (
        options.delegate in get_args(benchmark.Delegate)
        and not options.require_full_delegation
        and not options.tool_flags
    ):
        return
    raise errors.InputError(
        "Accelerators, `require_full_delegation` and `tool_flags` need a tool. "
        f"Received: delegate={options.delegate}, require_full_delegation="
        f"{options.require_full_delegation}, tool_flags={options.tool_flags}. "
        "Take --runner=android or --runner=benchmark_model."
    )


def _thread_warnings(
    options: benchmark.RuntimeOptions, num_cpus: int
) -> list[str]:
    available = len(options.cpus()) or num_cpus
    wanted = options.num_threads * options.concurrency
    if wanted <= available:
        return []
    return [f"{wanted} threads on {available} CPUs."]
