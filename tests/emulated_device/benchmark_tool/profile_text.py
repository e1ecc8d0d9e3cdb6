# SPDX-License-Identifier: Apache-2.0
"""Operator profiles in the tools' forms, from LiteRT's own profiler."""

from collections.abc import Sequence
from typing import Any

from tflite_opt.benchmark import tool_protos
from tflite_opt.records import op_profile

_CLASSIC_HEADER = (
    "\t                             [node type]\t  [first]\t [avg ms]\t"
    "     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]"
)
_LITERT_HEADER = (
    "                   [node type]    [first]   [avg ms]        [%]     "
    "[cdf%]   [mem KB] [times called]     [Name]"
)
_CSV_HEADER = "node type, first, avg_ms, %, cdf%, mem KB, times called, name"
_RULER = "=" * 30


def classic(found: op_profile.OpProfile) -> str:
    """Returns what `--enable_op_profiling` prints."""
    rows = [
        f"\t{name:>40}\t{ms:9.3f}\t{ms:9.3f}\t{share:7.3f}%\t{total:7.3f}%\t"
        f"{0:10.3f}\t{1:9}\t{label}"
        for name, ms, share, total, label in _rows(found)
    ]
    return "\n".join(
        [
            f"{_RULER} Run Order {_RULER}",
            _CLASSIC_HEADER,
            *rows,
            "",
            f"Number of nodes executed: {len(rows)}",
            *_footer(found),
        ]
    )


def csv(found: op_profile.OpProfile) -> str:
    """Returns what `--op_profiling_output_mode=csv` writes."""
    rows = [
        f"{name}, {ms:g}, {ms:g}, {share:g}%, {total:g}%, 0, 1, "
        + label.replace(",", "\t")
        for name, ms, share, total, label in _rows(found)
    ]
    return "\n".join(
        [
            "Operator-wise Profiling Info for Regular Benchmark Runs:",
            f"{_RULER} Run Order {_RULER}",
            _CSV_HEADER,
            *rows,
            "",
            f"Number of nodes executed: {len(rows)}",
            *_footer(found),
        ]
    )


def litert(found: op_profile.OpProfile) -> str:
    """Returns what LiteRT's `--use_profiler` prints."""
    calls = found.num_runs
    rows = [
        f"{name:>30} {0:10.3f} {ms:10.3f} {share:9.3f}% {total:9.3f}% "
        f"{0:10.3f} {calls:10} {label}"
        for name, ms, share, total, label in _rows(found)
    ]
    total_us = found.inference_us * calls
    return "\n".join(
        [
            "",
            f"{_RULER} Run Order {_RULER}",
            _LITERT_HEADER,
            *rows,
            "",
            f"Number of nodes executed: {len(rows)}",
            f"Timings (microseconds): count={len(rows)} curr={total_us:.0f}",
            "Memory (bytes): count=0",
            f"{len(rows)} nodes observed",
        ]
    )


def proto(found: op_profile.OpProfile, model: str) -> bytes:
    """Returns what `--op_profiling_output_mode=proto` writes."""
    message = tool_protos.message_class("BenchmarkProfilingData")()
    message.model_name = model
    graph = message.runtime_profile.subgraph_profiles.add(
        subgraph_name="Primary graph", subgraph_index=0
    )
    for order, op in enumerate(found.ops):
        added = graph.per_op_profiles.add(
            node_type=op.name,
            name=_label(op, order),
            times_called=1,
            run_order=order,
        )
        _fill(added.inference_microseconds, op.mean_us, found.num_runs)
        _fill(added.mem_kb, 0, found.num_runs)
    return bytes(message.SerializeToString())


def _fill(stat: Any, mean: float, count: int) -> None:
    whole = round(mean)
    stat.first = stat.last = stat.avg = stat.min = stat.max = whole
    stat.sum, stat.count = round(mean * count), count


def _rows(
    found: op_profile.OpProfile,
) -> Sequence[tuple[str, float, float, float, str]]:
    rows, total = [], 0.0
    for order, op in enumerate(found.ops):
        total += 100 * op.share
        rows.append(
            (
                op.name,
                op.mean_us / 1e3,
                100 * op.share,
                total,
                _label(op, order),
            )
        )
    return rows


def _label(op: op_profile.ProfiledOp, order: int) -> str:
    if op.is_delegated:
        return f"Delegate/{op.name}:{order}"
    return f"[]:{op.index}"


def _footer(found: op_profile.OpProfile) -> list[str]:
    return [
        "",
        f"Timings (microseconds): count={found.num_runs} "
        f"curr={found.inference_us:.0f}",
        "Memory (bytes): count=0",
        f"{len(found.ops)} nodes observed",
        "",
    ]
