# SPDX-License-Identifier: Apache-2.0
"""Latency and memory, with the raw samples they come from."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Literal, Protocol

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import errors, serialization

Delegate = Literal["xnnpack", "none"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuntimeOptions(serialization.Record):
    """How to run a model, in the words of TFLite's `benchmark_model`.

    Attributes:
        num_threads: Threads of the interpreter, at least 1.
        delegate: `xnnpack`, or `none` for the builtin kernels.
        warmup_runs: Least number of inferences before timing starts.
        warmup_min_secs: Least duration of the warm-up in seconds.
        num_runs: Least number of timed inferences in one launch.
        min_secs: Least duration of the timed inferences in seconds.
        max_secs: Cap on the timed inferences of one launch in seconds.
        launches: Number of separate processes; the unit of replication.
        timeout_s: A launch that takes longer is killed and is an error.
        seed: Of the inputs and of the order of launches.
    """

    num_threads: int = 1
    delegate: Delegate = "xnnpack"
    warmup_runs: int = 5
    warmup_min_secs: float = 0.1
    num_runs: int = 50
    min_secs: float = 0.2
    max_secs: float = 10.0
    launches: int = 5
    timeout_s: float = 120.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a value is out of its range.
        """
        super().__post_init__()
        for name in ("num_threads", "num_runs", "launches"):
            if getattr(self, name) < 1:
                raise errors.InputError(
                    f"`{name}` must be at least 1. "
                    f"Received: {name}={getattr(self, name)}"
                )
        for name in ("warmup_runs", "warmup_min_secs", "min_secs"):
            if getattr(self, name) < 0:
                raise errors.InputError(
                    f"`{name}` must not be negative. "
                    f"Received: {name}={getattr(self, name)}"
                )
        if self.max_secs <= 0 or self.timeout_s <= 0:
            raise errors.InputError(
                "`max_secs` and `timeout_s` must be positive. Received: "
                f"max_secs={self.max_secs}, timeout_s={self.timeout_s}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Launch(serialization.Record):
    """What one process measured.

    Attributes:
        source: Which tool measured it, e.g. `tflite_opt.launch`.
        init_ms: Building the interpreter and allocating its tensors.
        first_inference_ms: The first invocation, warm-up excluded from none.
        warmup_runs: How many invocations were dropped, the first included.
        num_runs: How many invocations were timed.
        median_ms: Of the timed invocations.
        peak_memory_bytes: High-water mark of the process's resident memory.
        model_memory_bytes: Growth of it from before the model was loaded.
        partitions: Delegate nodes the process saw.
        started_at: UTC, ISO 8601.
    """

    source: str
    init_ms: float
    first_inference_ms: float
    warmup_runs: int
    num_runs: int
    median_ms: float
    peak_memory_bytes: int
    model_memory_bytes: int
    partitions: int
    started_at: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatencyStats(serialization.Record):
    """Latency over all launches, in milliseconds.

    Attributes:
        median_ms: Median over launches of each launch's median.
        median_low_ms: Lower bound of its 95 % interval, from a studentized
            bootstrap over launches; None with fewer than 4 launches.
        median_high_ms: Upper bound.
        p90_ms: 90th percentile of the pooled samples.
        p99_ms: 99th percentile; None with fewer than 100 samples.
        min_ms: Fastest sample.
        throughput_per_s: Inferences per second at the mean of the pooled
            samples.
        num_samples: Number of pooled samples.
    """

    median_ms: float
    median_low_ms: float | None
    median_high_ms: float | None
    p90_ms: float
    p99_ms: float | None
    min_ms: float
    throughput_per_s: float
    num_samples: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeviceInfo(serialization.Record):
    """Where it ran.

    Attributes:
        device_key: Salted hash that tells devices apart, never a serial.
        model: Human-readable model of the device or processor.
        abi: `x86_64`, `arm64-v8a`, ...
        os: Operating system and version.
        num_cpus: CPUs this process may use.
        is_emulator: Whether it is not real hardware.
    """

    device_key: str
    model: str
    abi: str
    os: str
    num_cpus: int
    is_emulator: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkResult(serialization.Record):
    """One artifact measured on one device with one set of options.

    Attributes:
        artifact: What was measured.
        device: Where.
        options: How.
        runtime: Name and version of the runtime.
        launches: One entry for each process.
        latency: Statistics over them.
        init_ms: Median over launches.
        first_inference_ms: Median over launches.
        peak_memory_bytes: Largest over launches.
        partitions: Delegate nodes.
        samples_path: `.npz` with `launch_<i>_ns` (n,) int64 raw samples.
        samples_sha256: Of that file.
        warnings: One sentence each.
    """

    artifact: artifact_record.Artifact
    device: DeviceInfo
    options: RuntimeOptions
    runtime: str
    launches: tuple[Launch, ...]
    latency: LatencyStats
    init_ms: float
    first_inference_ms: float
    peak_memory_bytes: int
    partitions: int
    samples_path: pathlib.Path
    samples_sha256: str
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkFailure(serialization.Record):
    """An artifact that could not be measured.

    Attributes:
        artifact: What was to be measured.
        message: Why it was not.
    """

    artifact: artifact_record.Artifact
    message: str


class Runner(Protocol):
    """Something that can measure `.tflite` files: this machine, or a phone."""

    def run(
        self,
        artifacts: Sequence[artifact_record.Artifact],
        options: RuntimeOptions,
        directory: pathlib.Path,
    ) -> list[BenchmarkResult | BenchmarkFailure]:
        """Measures artifacts with interleaved launches.

        They are measured together because a machine drifts: only launches
        that alternate can be compared.

        Args:
            artifacts: With different names.
            options: The same for all.
            directory: Gets one `.npz` of raw samples for each artifact.
                Launches that finished there before an interruption are kept.

        Returns:
            One entry for each artifact, in order.
        """
        ...
