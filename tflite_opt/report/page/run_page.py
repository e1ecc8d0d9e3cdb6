# SPDX-License-Identifier: Apache-2.0
"""The page of a run."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import markupsafe

from tflite_opt.records import report, run_directory
from tflite_opt.report import (
    costs,
    data_check_text,
    evaluation_text,
    facts_text,
    ladder_text,
    row_text,
)
from tflite_opt.report.page import (
    error_charts,
    launch_charts,
    lineage,
    model_charts,
    rendering,
    scatter,
    table,
    verdict,
)
from tflite_opt.report.rows import Evidence


def write(
    content: report.Report,
    loaded: Sequence[Evidence],
    manifest: run_directory.RunManifest,
    path: pathlib.Path,
) -> pathlib.Path:
    """Writes the page of a run.

    Args:
        content: Its report.
        loaded: What is known of each variant, in the report's order.
        manifest: How the run was made.
        path: Gets the page.
    """
    pairs = list(zip(content.rows, loaded, strict=True))
    results = [result for item in loaded for result in item.results]
    chart = scatter.scatter(content, loaded)
    context = {
        "content": content,
        "verdict": verdict.verdict(content, loaded),
        "scatter": chart,
        "axes": [dataclasses.asdict(axis) for axis in chart.axes]
        if chart
        else [],
        "table": table.table(content),
        "variants": [_variant(row, item, content) for row, item in pairs],
        "cost_headers": costs.HEADERS,
        "costs": [costs.cells(cost) for cost in content.costs],
        "states": launch_charts.states(results),
        "data_check_table": _data_check(content),
        "made": _made(content),
        "manifest": manifest,
    }
    return rendering.write("run.html", context, path)


def _variant(
    row: report.Row, item: Evidence, content: report.Report
) -> dict[str, Any]:
    facts = item.variant.facts
    return {
        "row": row,
        "facts": _facts(row, item),
        "ladder": item.ladder,
        "ladder_table": _ladder_table(item),
        "lineage": lineage.lineage(item.variant, content.description),
        "views": [
            *launch_charts.latency(item.results),
            *launch_charts.drift(item.results),
            *model_charts.weights(facts),
            *model_charts.operations(facts),
            *model_charts.profiles(item.profiles),
            *error_charts.errors(item.errors),
            *model_charts.training(row.steps),
        ],
    }


def _ladder_table(item: Evidence) -> markupsafe.Markup | None:
    if item.ladder is None:
        return None
    # Tabulate escapes what the cells hold.
    return markupsafe.Markup(ladder_text.table(item.ladder, "html"))


def _facts(row: report.Row, item: Evidence) -> list[tuple[str, str]]:
    """Returns names and values of what is known of a variant."""
    facts, agreement = item.variant.facts, row.agreement
    peak = row.peak_memory_bytes
    pairs = [
        ("size", f"{row.size_bytes:,} bytes, {row.gzip_bytes:,} after gzip"),
        ("MACs", facts_text.macs(facts)),
        ("parameters", f"{facts.parameters:,}"),
        ("weights in at most 8 bits", f"{row.quantized_weight_fraction:.1%}"),
        ("zeros", _percent(facts.zero_weight_fraction)),
        ("latency, ms (95 % CI)", row_text.latency(row)),
        ("90th, 99th percentile, ms", _both(row.p90_ms, row.p99_ms)),
        (
            "loading, first inference, ms",
            _both(row.init_ms, row.first_inference_ms),
        ),
        ("inferences/s", row_text.number(row.throughput_per_s)),
        ("peak memory, MB", row_text.number(peak / 1e6 if peak else None)),
        ("same predictions as the original", evaluation_text.same(agreement)),
        ("same predictions as its Keras model", _percent(row.keras_agreement)),
        ("XNNPACK against builtin kernels", item.variant.resolvers.describe()),
    ]
    pairs += [
        (evaluation_text.label(found.name), evaluation_text.metric(found))
        for found in (row.metric, *row.other_metrics)
        if found
    ]
    return [(name, value) for name, value in pairs if value.strip("-, ")]


def _made(content: report.Report) -> list[tuple[str, str]]:
    description = content.description
    pairs = [
        ("model", f"sha256 {description.model.sha256}"),
        ("latency", f"{content.device}; {content.runtime}; {content.options}"),
        *(
            (
                f"examples: {name}",
                f"{count:,}, fingerprint {description.data_fingerprints[name]}",
            )
            for name, count in description.num_examples.items()
        ),
        *content.versions.items(),
    ]
    return [(name, value) for name, value in pairs if value.strip("; ")]


def _data_check(content: report.Report) -> markupsafe.Markup | None:
    if content.data_check is None:
        return None
    # Tabulate escapes what the cells hold.
    return markupsafe.Markup(data_check_text.table(content.data_check, "html"))


def _both(first: float | None, second: float | None) -> str:
    return f"{row_text.number(first)}, {row_text.number(second)}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
