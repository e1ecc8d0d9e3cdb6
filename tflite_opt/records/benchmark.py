# SPDX-License-Identifier: Apache-2.0
"""Latency and memory, with the raw samples they come from."""

import dataclasses
import pathlib
import statistics
from collections.abc import Sequence
from typing import Literal, Protocol

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import energy as energy_record
from tflite_opt.records import (
    errors,
    machine,
    runtime_options,
    serialization,
    tool_output,
)

Delegate = runtime_options.Delegate
ToolDelegate = runtime_options.ToolDelegate
InputFile = runtime_options.InputFile
RuntimeOptions = runtime_options.RuntimeOptions
QUICK = runtime_options.QUICK


@dataclasses.dataclass(frozen=True, kw_only=True)
class Launch(serialization.Record):
    """What one process measured.

    What its source does not tell is None.

    Attributes:
        source: Which tool measured it: `tflite_opt.launch`, whose raw samples
            are kept, or one of `tool_output.Tool`, which print a summary.
        init_ms: Building the interpreter and allocating its tensors.
        first_inference_ms: The first invocation, warm-up excluded from none.
        warmup_runs: How many invocations were dropped, the first included.
        num_runs: How many invocations were timed.
        median_ms: Of the timed invocations.
        peak_memory_bytes: High-water mark of the process's resident memory.
        model_memory_bytes: Growth of it from before the model was loaded.
        partitions: Delegate nodes the process saw; None where they cannot be
            seen, as in another graph than the main one.
        started_at: UTC, ISO 8601.
        warmup_ms: How long the dropped invocations took, the first included.
        is_steady: Whether the latency was steady when timing began; None if
            the source does not judge it.
        resident_memory_bytes: Of the process after warm-up.
        timing_ns: What the timing of one invocation itself takes, median; it
            is part of each sample.
        throughput_per_s: Invocations of all interpreters per second of wall
            time.
        state: Of the machine.
        summary: The tool's own statistics; None where there are samples.
        cpu_ms: Processor time of one timed inference, of all threads of the
            process; None from a tool, or of several interpreters at once.
        energy: Of one timed inference; None where the machine does not tell.
    """

    source: str
    init_ms: float
    first_inference_ms: float
    warmup_runs: int
    num_runs: int
    median_ms: float | None
    peak_memory_bytes: int | None
    model_memory_bytes: int | None
    partitions: int | None
    started_at: str
    warmup_ms: float | None = None
    is_steady: bool | None = None
    resident_memory_bytes: int | None = None
    timing_ns: float | None = None
    throughput_per_s: float | None = None
    state: machine.MachineState | None = None
    summary: tool_output.LatencySummary | None = None
    cpu_ms: float | None = None
    energy: energy_record.EnergyEstimate | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatencyStats(serialization.Record):
    """Latency over all launches, in milliseconds.

    Attributes:
        median_ms: Median over launches of each launch's median; None from a
            tool that prints none.
        median_low_ms: Lower bound of its 95 % interval, from a studentized
            bootstrap over launches; None with fewer than 4 launches, or
            without medians.
        median_high_ms: Upper bound.
        p90_ms: 90th percentile of the pooled samples; None without samples.
        p99_ms: 99th percentile; None with fewer than 100 samples.
        min_ms: Fastest sample.
        throughput_per_s: Inferences per second at the mean of the pooled
            samples.
        num_samples: Number of timed invocations in all launches.
    """

    median_ms: float | None
    median_low_ms: float | None
    median_high_ms: float | None
    p90_ms: float | None
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
class ConcurrentStats(serialization.Record):
    """Latency and throughput of interpreters that run at the same time.

    Attributes:
        num_interpreters: How many.
        throughput_per_s: Median over launches of the invocations of all of
            them per second of wall time.
        p50_ms: Median of the pooled samples.
        p95_ms: 95th percentile of them.
        p99_ms: 99th percentile of them.
    """

    num_interpreters: int
    throughput_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class DriftWindow(serialization.Record):
    """A stretch of a soak.

    Attributes:
        start_s: Since the first timed invocation.
        end_s: Likewise.
        median_ms: Of the invocations in it.
        p95_ms: 95th percentile of them.
        num_samples: How many there are.
    """

    start_s: float
    end_s: float
    median_ms: float
    p95_ms: float
    num_samples: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutputCheck(serialization.Record):
    """Whether what was measured also computes the right thing.

    Attributes:
        reference: What the outputs were compared with: golden vectors beside
            the artifact, or the builtin kernels.
        description: One phrase with what was found.
        warnings: One sentence each.
    """

    reference: Literal["golden vectors", "builtin kernels"]
    description: str
    warnings: tuple[str, ...] = ()


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
        peak_memory_bytes: Largest over launches; None if not known.
        partitions: Delegate nodes; None if not known.
        samples_path: `.npz` with `launch_<i>_ns` (n,) int64 raw samples; None
            from a tool that prints none.
        samples_sha256: Of that file.
        logs_path: What a tool printed, a `tool_output.ToolLogs`; None where
            there are samples.
        warnings: One sentence each.
        check: None if outputs were not checked.
        concurrent: None with a single interpreter.
        drift: Windows of a soak in order of time, of the first launch.
        energy: Of one inference; None if it was not estimated.
    """

    artifact: artifact_record.Artifact
    device: DeviceInfo
    options: RuntimeOptions
    runtime: str
    launches: tuple[Launch, ...]
    latency: LatencyStats
    init_ms: float
    first_inference_ms: float
    peak_memory_bytes: int | None
    partitions: int | None
    samples_path: pathlib.Path | None
    samples_sha256: str | None
    logs_path: pathlib.Path | None = None
    warnings: tuple[str, ...] = ()
    check: OutputCheck | None = None
    concurrent: ConcurrentStats | None = None
    drift: tuple[DriftWindow, ...] = ()
    energy: energy_record.EnergyEstimate | None = None

    @property
    def cpu_ms(self) -> float | None:
        """Processor time of one inference, median over launches."""
        known = [x.cpu_ms for x in self.launches if x.cpu_ms is not None]
        return statistics.median(known) if known else None

    @property
    def evidence(self) -> tuple[pathlib.Path, ...]:
        """The files that the statistics come from."""
        paths = (self.samples_path, self.logs_path)
        return tuple(path for path in paths if path is not None)

    @property
    def median_ms(self) -> float:
        """The typical latency.

        Raises:
            InputError: If the tool printed no median.
        """
        if self.latency.median_ms is None:
            raise errors.InputError(
                "Latencies are compared by medians, which this tool does not "
                f"print. Received: runtime={self.runtime!r}. Take a newer "
                "benchmark_model, or --runner=desktop."
            )
        return self.latency.median_ms


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

    @property
    def identity(self) -> str:
        """Tells runners apart whose results must not be mixed."""
        ...

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
            directory: Gets the samples or the logs of each artifact.
                Launches that finished there before an interruption are kept.

        Returns:
            One entry for each artifact, in order.
        """
        ...
