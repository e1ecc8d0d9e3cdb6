# SPDX-License-Identifier: Apache-2.0
"""Reads what the programs called `benchmark_model` print.

There are two C++ tools of that name, TFLite's and LiteRT's, with different
flags and results on different streams, and a Python program in the wheel of
ai-edge-litert. Every public form since 2018 is understood: with and without
`INFO: `, with a source position, through Android's log, with and without
percentiles.

References:
    tflite/tools/benchmark/benchmark_model.cc and
    litert/tools/benchmark_litert_model.h in
    https://github.com/google-ai-edge/LiteRT
"""

import re
from collections.abc import Iterable, Iterator

from tflite_opt.benchmark import tool_profile
from tflite_opt.records import errors, tool_output

_ANDROID_LOG = re.compile(
    r"^(?:[\d-]+ [\d:.]+ +(?:\d+ +\d+ +)?)?[VDIWEF][ /]"
    r"(?:tflite|litert) *(?:\( *\d+\))?: ?"
)
_PREFIX = re.compile(
    r"^(?:(?P<level>INFO|WARN|WARNING|ERROR|FATAL|VERBOSE): )?"
    r"(?:\[[^\]\s]+:\d+\] ?)?"
)
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_FIELD = re.compile(rf"(\w+)=({_NUMBER})")
_COUNTED = re.compile(r"^count=\d+")
_UNCONSUMED = re.compile(r"^Unconsumed cmdline flags: (.*)$")
_RESULT_LINE = re.compile(
    r"^(?P<key>[A-Z][\w ]*(?: \(\w+\))?): +"
    rf"(?P<value>{_NUMBER})(?: (?:ms|MB|MB/s))?(?: \((?P<count>\d+) runs\))?$"
)
_REPLACED = re.compile(
    r"^Replacing (\d+)(?: out of (\d+))? node\(s\) with delegate \((.*?)\) "
    r"node(?:, yielding (\d+) partitions(?: for subgraph (\d+))?)?"
)
_EXPLICIT = re.compile(
    r"^Explicitly applied (.+?) delegate, and the model graph will be "
    r"(?:completely|partially) executed by the delegate"
    r"(?: w/ (\d+) delegate kernels)?\.$"
)
_NOT_EXECUTED = re.compile(
    r"^Though (.+?) delegate is explicitly applied, the model graph will not "
    r"be executed by the delegate\.$"
)
_MEMORY_LINES = {
    "Overall peak memory footprint (MB) via periodic monitoring": "peak_bytes",
    "- VmRSS              ": "resident_bytes",
    "+ RssAnnon           ": "anonymous_bytes",
    "+ RssFile + RssShmem ": "file_bytes",
    "Peak memory": "peak_bytes",
    "Init footprint": "init_growth_bytes",
    "Overall footprint": "overall_growth_bytes",
}
_MEGABYTE = 1 << 20

# Value and number of runs of LiteRT's result lines, by their names.
_Block = dict[str, tuple[float, int | None]]


def parse(stdout: str, stderr: str) -> tool_output.ToolOutput:
    """Reads the output of one process.

    Args:
        stdout: Of the process; classic results are here.
        stderr: Of the process; LiteRT's results and the runtime's messages
            about delegates are here. Both streams may also come as one.

    Raises:
        BenchmarkError: If the tool did not know a flag it was given, which it
            would else ignore, or if nothing in the output can be understood.
    """
    lines = [*_messages(stdout), *_messages(stderr)]
    _reject_unconsumed(lines)
    block = _result_block(lines)
    timings = _timings(lines)
    warmup, inference = _phases(lines, block, timings)
    if inference is None and "Model initialization" not in block:
        raise errors.BenchmarkError(
            "The output is not that of a benchmark_model. "
            f"Received: {_excerpt(stdout, stderr)}"
        )
    return tool_output.ToolOutput(
        tool=_which(stdout + stderr, block),
        init_ms=_first_known(
            timings.get("Init"), block, "Model initialization"
        ),
        first_inference_ms=_first_known(
            timings.get("First inference"),
            block,
            "Warmup (first)",
            "First inference",
        ),
        warmup=warmup,
        inference=inference,
        memory=_memory(lines, block),
        delegates=tuple(_delegates(lines)),
        operations=tool_profile.parse_tables(lines),
    )


def error_messages(stdout: str, stderr: str) -> list[str]:
    """Returns the messages of the levels ERROR and FATAL, in order."""
    return [
        _PREFIX.sub("", line, count=1)
        for line in (stderr + "\n" + stdout).splitlines()
        if line.startswith(("ERROR: ", "FATAL: "))
    ]


def _messages(text: str) -> list[str]:
    return [
        _PREFIX.sub("", _ANDROID_LOG.sub("", line, count=1), count=1)
        for line in text.splitlines()
    ]


def _reject_unconsumed(lines: Iterable[str]) -> None:
    for line in lines:
        if found := _UNCONSUMED.match(line):
            raise errors.BenchmarkError(
                "The tool must know all flags; it ignores others. "
                f"Received: {found[1]}. Take a newer binary."
            )


def _which(text: str, block: _Block) -> tool_output.Tool:
    if "Inference (median)" in block:
        return "litert_benchmark"
    if "benchmark_litert_model" in text or block:
        return "litert_benchmark_model"
    return "benchmark_model"


def _excerpt(stdout: str, stderr: str) -> str:
    found = (stderr.strip() or stdout.strip()).splitlines()
    return repr(found[-1][:200]) if found else "nothing"


def _result_block(
    lines: Iterable[str],
) -> _Block:
    """Returns LiteRT's lines `Name: value unit (n runs)`."""
    found: _Block = {}
    inside = False
    for line in lines:
        inside = inside or "BENCHMARK RESULTS" in line
        if inside and (match := _RESULT_LINE.match(line)):
            count = match["count"]
            found[match["key"]] = (
                float(match["value"]),
                int(count) if count else None,
            )
    return found


def _timings(lines: Iterable[str]) -> dict[str, float]:
    """Returns the classic summary line in milliseconds, by its own names."""
    for line in lines:
        head, separator, rest = line.partition("timings in us: ")
        if separator and head.split() in (
            ["Inference"],
            ["Average", "inference"],
        ):
            pairs = (part.rpartition(": ") for part in rest.split(", "))
            return {name: float(value) / 1e3 for name, _, value in pairs}
    return {}


def _phases(
    lines: Iterable[str],
    block: _Block,
    timings: dict[str, float],
) -> tuple[
    tool_output.LatencySummary | None, tool_output.LatencySummary | None
]:
    """Returns warm-up and inferences from the most exact lines there are."""
    counted = [_counted(line) for line in lines if _COUNTED.match(line)]
    if len(counted) == 2:
        return counted[0], counted[1]
    if block:
        return _from_block(block, "Warmup"), _from_block(block, "Inference")
    # 2018 said `Warmup` and `no stats`: without an operator profile.
    return (
        _only_average(timings, "Warmup (avg)", "Warmup"),
        _only_average(timings, "Inference (avg)", "no stats"),
    )


def _only_average(
    timings: dict[str, float], *names: str
) -> tool_output.LatencySummary | None:
    for name in names:
        if name in timings:
            return tool_output.LatencySummary(avg_ms=timings[name])
    return None


def _counted(line: str) -> tool_output.LatencySummary:
    """Reads `count=50 first=1249964 curr=...`, in microseconds."""
    fields = {name: float(value) for name, value in _FIELD.findall(line)}
    count = int(fields.pop("count"))
    if count == 0:
        # `p5=0 median=0 p95=0` follows, which nobody measured.
        return tool_output.LatencySummary(count=0)
    if count == 1 or "(all same)" in line:
        same = fields["curr"]
        fields = {"first": same, "min": same, "max": same, "avg": same} | fields
    fields.pop("curr", None)
    return tool_output.LatencySummary(
        count=count,
        **{f"{name}_ms": value / 1e3 for name, value in fields.items()},
    )


def _from_block(block: _Block, phase: str) -> tool_output.LatencySummary | None:
    if f"{phase} (avg)" not in block:
        return None
    average, count = block[f"{phase} (avg)"]
    others = {
        f"{name}_ms": block[f"{phase} ({name})"][0]
        for name in ("first", "min", "max", "std", "p5", "median", "p95")
        if f"{phase} ({name})" in block
    }
    return tool_output.LatencySummary(count=count, avg_ms=average, **others)


def _first_known(
    value: float | None,
    block: _Block,
    *names: str,
) -> float | None:
    known = [value, *(block[name][0] for name in names if name in block)]
    return next((x for x in known if x is not None), None)


def _memory(lines: Iterable[str], block: _Block) -> tool_output.MemoryUse:
    found = {
        field: _to_bytes(block[name][0])
        for name, field in _MEMORY_LINES.items()
        if name in block
    }
    for line in lines:
        name, _, value = line.partition(":")
        if name in _MEMORY_LINES and name not in block:
            number = re.match(rf" ({_NUMBER})", value)
            if number:
                found[_MEMORY_LINES[name]] = _to_bytes(float(number[1]))
        elif name.startswith(
            # 2020 called the same differences a peak.
            ("Memory footprint delta", "Peak memory footprint")
        ):
            growths = dict(_FIELD.findall(value))
            found["init_growth_bytes"] = _to_bytes(float(growths["init"]))
            found["overall_growth_bytes"] = _to_bytes(float(growths["overall"]))
    return tool_output.MemoryUse(**found)


def _to_bytes(megabytes: float) -> int:
    return round(megabytes * _MEGABYTE)


def _delegates(lines: Iterable[str]) -> Iterator[tool_output.DelegateUse]:
    for line in lines:
        if found := _REPLACED.match(line):
            replaced, total, name, partitions, subgraph = found.groups()
            yield tool_output.DelegateUse(
                delegate=name,
                is_explicit=False,
                partitions=_integer(partitions),
                replaced_nodes=int(replaced),
                total_nodes=_integer(total),
                subgraph=_integer(subgraph),
            )
        elif found := _EXPLICIT.match(line):
            yield tool_output.DelegateUse(
                delegate=found[1],
                is_explicit=True,
                # "Completely" is said of exactly one node in the plan.
                partitions=int(found[2] or 1),
            )
        elif found := _NOT_EXECUTED.match(line):
            yield tool_output.DelegateUse(
                delegate=found[1], is_explicit=True, partitions=0
            )


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)
