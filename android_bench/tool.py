# SPDX-License-Identifier: Apache-2.0
"""What a session needs of a tool, whichever way it is started."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

from android_bench import workspace
from tflite_opt.benchmark import tool_binary
from tflite_opt.records import benchmark, tool_output


class Tool(Protocol):
    """A tool on one device: `shell_tool.ShellTool` or `apk_tool.ApkTool`.

    Attributes:
        binary: Which tool it is and what its flags are; known once it is
            open.
    """

    binary: tool_binary.Binary

    @property
    def sha256(self) -> str:
        """Of its program or package."""
        ...

    @property
    def identity(self) -> str:
        """Tells tools apart whose results must not be mixed."""
        ...

    @property
    def runtime(self) -> str:
        """What a result says about it; known once it is open."""
        ...

    def open(self, space: workspace.Workspace) -> None:
        """Puts it on the device; leaving the workspace takes it away."""
        ...

    def knows(self, *flags: str) -> bool:
        """Returns whether it has all of these flags, of some use."""
        ...

    def arguments(
        self,
        model: str,
        options: benchmark.RuntimeOptions,
        further: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Returns the flags of a launch."""
        ...

    def run(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        cpu_mask: str,
        timeout_s: float,
    ) -> tool_output.ToolLog:
        """Launches it once, and returns what it printed."""
        ...

    def read_result(self) -> bytes | None:
        """Returns the result file of the last launch, if it writes one."""
        ...

    def stop(self) -> None:
        """Ends a launch that another thread waits for."""
        ...


def once(options: benchmark.RuntimeOptions) -> benchmark.RuntimeOptions:
    """Returns options of a launch whose latency does not matter."""
    return dataclasses.replace(
        options, num_runs=1, min_secs=0.0, warmup_runs=0, warmup_min_secs=0.0
    )
