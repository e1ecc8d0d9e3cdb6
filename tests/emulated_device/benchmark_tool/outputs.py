# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201
"""What the tools print: on two streams, or into the phone's log."""

import sys

from tests.emulated_device.benchmark_tool import surroundings
from tests.emulated_device.benchmark_tool.statistics import Statistics

_PHASE_LINE = (
    "Running benchmark for at least {} iterations and at least {:g} seconds "
    "but terminate if exceeding {:g} seconds."
)
_NOTE = (
    "Note: as the benchmark tool itself affects memory footprint, the "
    "following is only APPROXIMATE to the actual memory footprint of the "
    "model at runtime. Take the information at your discretion."
)
_LOG_LEVELS = {"INFO": "I", "WARN": "W", "ERROR": "E"}


class Output:
    """The printing of one launch.

    Args:
        tool: Which of the two.
        is_app: Whether it is the app, which prints into the log only.

    Attributes:
        has_percentiles: Whether the build is new enough for them.
    """

    def __init__(self, tool: str, *, is_app: bool) -> None:
        self.tool = tool
        self.has_percentiles = True
        self.is_app = is_app

    def info(self, text: str, level: str = "INFO") -> None:
        """Prints a line of the tool's logger."""
        if self.is_app:
            surroundings.log_to_phone(
                [
                    f"{_LOG_LEVELS[level]} tflite  : {line}"
                    for line in text.rstrip("\n").split("\n")
                ]
            )
        else:
            print(f"{level}: {text}")

    def litert(self, line: int, text: str) -> None:
        """Prints a line of LiteRT's logger."""
        print(
            f"INFO: [benchmark_litert_model.h:{line}] {text}", file=sys.stderr
        )

    def raw(self, text: str) -> None:
        """Prints what has no prefix."""
        stream = sys.stdout if self.tool == "benchmark_model" else sys.stderr
        print(text, file=stream)

    def phase(self, least: int, least_s: float, most_s: float) -> None:
        """Tells that a phase begins."""
        self.info(_PHASE_LINE.format(least, least_s, most_s))

    def counted(self, found: Statistics) -> None:
        """Tells a phase's statistics."""
        text = found.text(has_percentiles=self.has_percentiles)
        self.info(f"{text}\n")

    def classic_end(
        self,
        init_us: int,
        warmup: Statistics,
        timed: Statistics,
        memory_kb: tuple[int, int],
        peak_mb: float | None,
    ) -> None:
        """Prints the results of TFLite's tool."""
        self.info(
            f"Inference timings in us: Init: {init_us}, First inference: "
            f"{warmup.first}, Warmup (avg): {warmup.avg:g}, Inference (avg): "
            f"{timed.avg:g}"
        )
        self.info(_NOTE)
        init_mb, overall_mb = (kb / 1024 for kb in memory_kb)
        self.info(
            "Memory footprint delta from the start of the tool (MB): "
            f"init={init_mb:g} overall={overall_mb:g}"
        )
        if peak_mb is not None:
            self.info(
                "Overall peak memory footprint (MB) via periodic monitoring: "
                f"{peak_mb:g}"
            )

    def litert_end(
        self,
        init_us: int,
        warmup: Statistics,
        timed: Statistics,
        memory_kb: tuple[int, int],
        peak_mb: float | None,
        *,
        signature: str,
        input_bytes: int,
    ) -> None:
        """Prints the results of LiteRT's tool."""
        for line, text in (
            (91, "\n========== BENCHMARK RESULTS =========="),
            (92, f"Signature name:       {signature}"),
            (94, f"Model initialization: {init_us / 1e3:.2f} ms"),
            (96, f"Warmup (first):       {warmup.first / 1e3:.2f} ms"),
            (
                98,
                f"Warmup (avg):         {warmup.avg / 1e3:.2f} ms "
                f"({warmup.count} runs)",
            ),
            (
                100,
                f"Inference (avg):      {timed.avg / 1e3:.2f} ms "
                f"({timed.count} runs)",
            ),
            (104, f"Inference (min):      {timed.min / 1e3:.2f} ms"),
            (106, f"Inference (max):      {timed.max / 1e3:.2f} ms"),
            (108, f"Inference (std):      {timed.std / 1e3:.2f}"),
            (
                115,
                "Throughput:           "
                f"{input_bytes / timed.avg * 1e6 / 2**20:.2f} MB/s",
            ),
            (124, "\nMemory Usage:"),
            (126, f"Init footprint:       {memory_kb[0] / 1024:.2f} MB"),
            (128, f"Overall footprint:    {memory_kb[1] / 1024:.2f} MB"),
        ):
            self.litert(line, text)
        if peak_mb is None:
            self.litert(
                135, "Peak memory usage not available. (peak_mem_mb <= 0)"
            )
        else:
            self.litert(133, f"Peak memory:          {peak_mb:.2f} MB")
        self.litert(138, "======================================\n")
