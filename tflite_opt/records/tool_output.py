# SPDX-License-Identifier: Apache-2.0
"""What the programs called `benchmark_model` say about a `.tflite`.

A statistic that a version does not print is None, never derived from others.
"""

import dataclasses
from typing import Literal

from tflite_opt.records import serialization

# TFLite's C++ tool, LiteRT's C++ tool of the same name, and the Python program
# in the wheel of ai-edge-litert.
Tool = Literal["benchmark_model", "litert_benchmark_model", "litert_benchmark"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatencySummary(serialization.Record):
    """Statistics over the invocations of one phase, in milliseconds.

    Attributes:
        count: How many invocations.
        first_ms: The first of them.
        min_ms: The fastest.
        max_ms: The slowest.
        avg_ms: Arithmetic mean; the C++ tools print six digits.
        std_ms: Standard deviation: of the population and cut to whole
            microseconds in the C++ tools, of the sample in the Python one.
        p5_ms: 5th percentile, by nearest rank in the C++ tools.
        median_ms: 50th percentile, likewise.
        p95_ms: 95th percentile, likewise.
    """

    count: int | None = None
    first_ms: float | None = None
    min_ms: float | None = None
    max_ms: float | None = None
    avg_ms: float | None = None
    std_ms: float | None = None
    p5_ms: float | None = None
    median_ms: float | None = None
    p95_ms: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryUse(serialization.Record):
    """Resident memory; the growths start where the tool itself starts.

    On Linux they are differences of high-water marks.

    Attributes:
        init_growth_bytes: Until the model is ready.
        overall_growth_bytes: Until the last inference.
        peak_bytes: Largest by the tool's own monitor.
        resident_bytes: At the end.
        anonymous_bytes: Of it, heap and stacks.
        file_bytes: Of it, mapped and shared files.
    """

    init_growth_bytes: int | None = None
    overall_growth_bytes: int | None = None
    peak_bytes: int | None = None
    resident_bytes: int | None = None
    anonymous_bytes: int | None = None
    file_bytes: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class DelegateUse(serialization.Record):
    """How much of one subgraph a delegate took.

    Attributes:
        delegate: Its name as printed: `XNNPACK` where the tool says what it
            applied, `TfLiteXNNPackDelegate` where the runtime does.
        is_explicit: Whether the tool said so, else the runtime.
        partitions: Delegate nodes; None where the line does not tell.
        replaced_nodes: Nodes that it took; None likewise.
        total_nodes: Nodes that there were; None likewise.
        subgraph: Index; None where the line does not tell.
    """

    delegate: str
    is_explicit: bool
    partitions: int | None = None
    replaced_nodes: int | None = None
    total_nodes: int | None = None
    subgraph: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperationTime(serialization.Record):
    """One line of an operator profile.

    Attributes:
        phase: `init` for loading, `run` for inferences.
        graph: The subgraph as printed; "" for the primary one when there is
            no other, `delegate` for lines from within a delegate.
        node_type: TFLite operator, delegate or XNNPACK operator.
        name: Of the node; lines of equal names are merged by the tool.
        avg_ms: Mean of one call.
        fraction: Of the time of all lines; None where it is not printed.
        memory_bytes: Last growth of the resident memory; None likewise.
        times_called: In one inference; LiteRT's tool counts the calls of all
            inferences together.
    """

    phase: Literal["init", "run"]
    graph: str
    node_type: str
    name: str
    avg_ms: float
    fraction: float | None
    memory_bytes: int | None
    times_called: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToolOutput(serialization.Record):
    """Everything that one process of a tool said.

    Attributes:
        tool: Which of them it was.
        init_ms: Loading and preparing.
        first_inference_ms: The first invocation of the warm-up.
        warmup: Invocations before the timed ones; None if not printed.
        inference: The timed ones; None if not printed.
        memory: Resident memory.
        delegates: In the order in which they were applied.
        operations: The profile in run order; empty when none was asked for.
    """

    tool: Tool
    init_ms: float | None
    first_inference_ms: float | None
    warmup: LatencySummary | None
    inference: LatencySummary | None
    memory: MemoryUse
    delegates: tuple[DelegateUse, ...] = ()
    operations: tuple[OperationTime, ...] = ()

    @property
    def partitions(self) -> int | None:
        """Delegate nodes of the primary graph; None if nothing was said.

        What the tool applied itself comes before what the runtime reports:
        old versions report both for the same nodes.
        """
        for explicit in (True, False):
            found = [
                use.partitions
                for use in self.delegates
                if use.is_explicit == explicit
                and use.subgraph in (None, 0)
                and use.partitions is not None
            ]
            if found:
                return sum(found)
        return None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToolLog(serialization.Record):
    """One process of a tool, as it was.

    Attributes:
        command: The program and its arguments.
        started_at: UTC, ISO 8601.
        stdout: All that it printed there.
        stderr: All that it printed there.
    """

    command: tuple[str, ...]
    started_at: str
    stdout: str
    stderr: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToolLogs(serialization.Record):
    """All processes behind one result.

    Attributes:
        binary_sha256: Of the program.
        launches: In order.
    """

    binary_sha256: str
    launches: tuple[ToolLog, ...]
