# SPDX-License-Identifier: Apache-2.0
"""The Runner for this machine."""

import dataclasses
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence

import numpy as np

from tflite_opt import child_process
from tflite_opt.benchmark import schedule, statistics, summaries
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, files

_KEY_SALT = "tflite_opt device"


def describe_device() -> benchmark.DeviceInfo:
    """Returns what this machine is."""
    node = pathlib.Path("/etc/machine-id")
    identity = node.read_text() if node.is_file() else platform.node()
    digest = files.sha256_of_text(f"{_KEY_SALT} {identity}")
    return benchmark.DeviceInfo(
        device_key=digest[:16],
        model=_processor(),
        abi=platform.machine(),
        os=f"{platform.system()} {platform.release()}",
        num_cpus=_usable_cpus(),
    )


def _processor() -> str:
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class DesktopRunner:
    """Measures on this machine; implements `records.benchmark.Runner`."""

    identity = "desktop"

    def run(
        self,
        artifacts: Sequence[artifact_record.Artifact],
        options: benchmark.RuntimeOptions,
        directory: pathlib.Path,
    ) -> list[benchmark.BenchmarkResult | benchmark.BenchmarkFailure]:
        """Measures artifacts with interleaved launches; see the protocol."""
        device = describe_device()
        failures = schedule.interleave(
            artifacts,
            options,
            lambda artifact, index: _launch_once(
                artifact, options, directory, index
            ),
        )
        return [
            benchmark.BenchmarkFailure(
                artifact=artifact, message=failures[artifact.name]
            )
            if artifact.name in failures
            else _collect(artifact, options, directory, device)
            for artifact in artifacts
        ]


def _launch_path(
    artifact: artifact_record.Artifact,
    options: benchmark.RuntimeOptions,
    directory: pathlib.Path,
    index: int,
) -> pathlib.Path:
    """Names a launch by all that it depends on, so that none is reused."""
    key = files.sha256_of_text(
        f"{artifact.sha256} {json.dumps(options.to_json())}"
    )[:16]
    return directory / "launches" / f"{artifact.name}.{key}.{index}.npz"


def _launch_once(
    artifact: artifact_record.Artifact,
    options: benchmark.RuntimeOptions,
    directory: pathlib.Path,
    index: int,
) -> None:
    path = _launch_path(artifact, options, directory, index)
    if path.exists():
        return
    spec = {"model": str(artifact.path), **dataclasses.asdict(options)}
    with tempfile.TemporaryDirectory() as folder:
        spec_path = pathlib.Path(folder) / "spec.json"
        result_path = pathlib.Path(folder) / "result.npz"
        spec_path.write_text(json.dumps(spec))
        _run_process(artifact, options, spec_path, result_path)
        files.write_bytes(path, result_path.read_bytes())


def _run_process(
    artifact: artifact_record.Artifact,
    options: benchmark.RuntimeOptions,
    spec_path: pathlib.Path,
    result_path: pathlib.Path,
) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tflite_opt.benchmark.launch",
            str(spec_path),
            str(result_path),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=child_process.environment(),
    )
    try:
        _, stderr = process.communicate(timeout=options.timeout_s)
    except subprocess.TimeoutExpired as error:
        raise errors.BenchmarkError(
            f"A launch of {artifact.name!r} took longer than "
            f"{options.timeout_s:g} s and was killed. Raise --timeout_s."
        ) from error
    finally:
        child_process.kill_group(process)
    if process.returncode < 0:
        raise errors.BenchmarkError(
            f"A launch of {artifact.name!r} crashed with signal "
            f"{-process.returncode}. The file is not safe to run here."
        )
    if process.returncode:
        lines = stderr.decode(errors="replace").strip().splitlines()
        raise errors.BenchmarkError(
            f"A launch of {artifact.name!r} failed: "
            f"{lines[-1] if lines else process.returncode}"
        )


def _collect(
    artifact: artifact_record.Artifact,
    options: benchmark.RuntimeOptions,
    directory: pathlib.Path,
    device: benchmark.DeviceInfo,
) -> benchmark.BenchmarkResult:
    paths = [
        _launch_path(artifact, options, directory, index)
        for index in range(options.launches)
    ]
    launches, samples = [], {}
    for index, path in enumerate(paths):
        with np.load(path) as stored:
            launches.append(
                benchmark.Launch(**json.loads(str(stored["summary"])))
            )
            samples[f"launch_{index}_ns"] = stored["samples_ns"]
    samples_path = directory / f"{artifact.name}.samples.npz"
    files.write_npz(samples_path, samples)
    for path in paths:
        path.unlink()
    warnings = []
    if options.num_threads > device.num_cpus:
        warnings.append(
            f"{options.num_threads} threads on {device.num_cpus} CPUs."
        )
    return benchmark.BenchmarkResult(
        artifact=artifact,
        device=device,
        options=options,
        runtime="ai-edge-litert "
        + importlib.metadata.version("ai-edge-litert"),
        launches=tuple(launches),
        latency=statistics.latency_stats(
            list(samples.values()), seed=options.seed
        ),
        init_ms=float(np.median([x.init_ms for x in launches])),
        first_inference_ms=float(
            np.median([x.first_inference_ms for x in launches])
        ),
        peak_memory_bytes=summaries.peak_memory_bytes(launches),
        partitions=launches[0].partitions,
        samples_path=samples_path,
        samples_sha256=files.sha256_of_file(samples_path),
        warnings=tuple(warnings),
    )
