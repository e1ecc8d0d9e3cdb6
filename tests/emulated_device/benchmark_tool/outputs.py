# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201
"""What the tools print: on two streams, or into the phone's log."""

import sys
from collections.abc import Iterator

from tests.emulated_device.benchmark_tool import surroundings
from tests.emulated_device.benchmark_tool.statistics import Measured, Statistics

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

    def end(self, measured: Measured) -> None:
        """Prints the results in the tool's form."""
        if self.tool == "benchmark_model":
            self._classic_end(measured)
        else:
            for line, text in _litert_lines(measured):
                self.litert(line, text)

    def _classic_end(self, measured: Measured) -> None:
        self.info(
            f"Inference timings in us: Init: {measured.init_us}, First "
            f"inference: {measured.warmup.first}, Warmup (avg): "
            f"{measured.warmup.avg:g}, Inference (avg): {measured.timed.avg:g}"
        )
        self.info(_NOTE)
        self.info(
            "Memory footprint delta from the start of the tool (MB): "
            f"init={measured.init_kb / 1024:g} "
            f"overall={measured.overall_kb / 1024:g}"
        )
        if measured.peak_mb is not None:
            self.info(
                "Overall peak memory footprint (MB) via periodic monitoring: "
                f"{measured.peak_mb:g}"
            )


def _litert_lines(measured: Measured) -> Iterator[tuple[int, str]]:
    """Yields LiteRT's results with the lines of its source."""
    warmup, timed = measured.warmup, measured.timed
    throughput = measured.input_bytes / timed.avg * 1e6 / 2**20
    yield 91, "\n========== BENCHMARK RESULTS =========="
    yield 92, f"Signature name:       {measured.signature}"
    yield 94, f"Model initialization: {measured.init_us / 1e3:.2f} ms"
    yield 96, f"Warmup (first):       {warmup.first / 1e3:.2f} ms"
    yield 98, _average("Warmup (avg):         ", warmup)
    yield 100, _average("Inference (avg):      ", timed)
    yield 104, f"Inference (min):      {timed.min / 1e3:.2f} ms"
    yield 106, f"Inference (max):      {timed.max / 1e3:.2f} ms"
    yield 108, f"Inference (std):      {timed.std / 1e3:.2f}"
    yield 115, f"Throughput:           {throughput:.2f} MB/s"
    yield 124, "\nMemory Usage:"
    yield 126, f"Init footprint:       {measured.init_kb / 1024:.2f} MB"
    yield 128, f"Overall footprint:    {measured.overall_kb / 1024:.2f} MB"
    if measured.peak_mb is None:
        yield 135, "Peak memory usage not available. (peak_mem_mb <= 0)"
    else:
        yield 133, f"Peak memory:          {measured.peak_mb:.2f} MB"
    yield 138, "======================================\n"


def _average(label: str, found: Statistics) -> str:
    return f"{label}{found.avg / 1e3:.2f} ms ({found.count} runs)"
