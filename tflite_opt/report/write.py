# SPDX-License-Identifier: Apache-2.0
"""Writes a `Report` as Markdown, CSV, JSON and a plot."""

import pathlib
from collections.abc import Sequence

import tabulate

from tflite_opt.records import files, ladder, report, run_directory
from tflite_opt.report import (
    build,
    compression_text,
    costs,
    csv_text,
    data_check_text,
    evaluation_text,
    ladder_text,
    notes_text,
    plot,
    row_text,
)


def write_report(
    run: run_directory.RunDirectory, prices: report.Prices | None = None
) -> tuple[report.Report, list[pathlib.Path]]:
    """Builds the report of a run and writes all its forms.

    Args:
        run: The run.
        prices: What the user pays.

    Returns:
        The report, and `report.html`, `report.md`, `report.png`,
        `results.csv` and `results.json` in the run's folder `report`.

    Raises:
        InputError: If the run has converted nothing, or a record is damaged.
    """
    # Slow to import, and only pages need it.
    from tflite_opt.report.page import run_page

    loaded = build.evidence(run)
    content = build.join(run, loaded, prices)
    folder = build.RunRecords(run).report
    names = (
        "report.html", "report.md", "report.png", "results.csv", "results.json"
    )  # fmt: skip
    page, text, picture, rows, record = paths = [folder / x for x in names]
    files.write_text(rows, csv_text.to_csv(content))
    content.save(record)
    plot.write_scatter(content, picture)
    ladders = [item.ladder for item in loaded if item.ladder]
    files.write_text(text, to_markdown(content, ladders))
    run_page.write(content, loaded, run.manifest, page)
    return content, paths


def to_text(content: report.Report, paths: Sequence[pathlib.Path]) -> str:
    """Returns what a terminal shows: table, advice, and where the rest is."""
    return "\n".join(
        [
            table(content),
            legend(content),
            "",
            summary(content),
            "",
            f"Report: {paths[0]}",
        ]
    )


def table(content: report.Report, format: str = "simple") -> str:
    """Returns the table.

    Args:
        content: The report.
        format: A `tabulate` format, e.g. `simple` or `github`.
    """
    headers = (
        "variant",
        "size",
        "x smaller",
        "gzip",
        evaluation_text.header(content.metric, content.is_labelled),
        "loss vs float32",
        "verdict",
        "latency ms (95 % CI)",
        "x faster",
        "partitions",
        "lint",
        "warnings",
    )
    return tabulate.tabulate(
        [_cells(row) for row in content.rows],
        headers=headers,
        tablefmt=format,
        disable_numparse=True,
        colalign=("left",) + ("right",) * (len(headers) - 3) + ("left",) * 2,
    )


def legend(content: report.Report) -> str:
    """Returns what the marks in the table mean."""
    return (
        f"* Pareto-optimal in {_metric_name(content)}, latency and size; "
        "< recommended"
    )


def _metric_name(content: report.Report) -> str:
    metric = content.metric
    return evaluation_text.label(metric.name) if metric else "the metric"


def summary(content: report.Report) -> str:
    """Returns the sentences below the table."""
    lines = [f"FAILED {failure}" for failure in content.failures]
    lines += data_check_text.warning_lines(content.data_check)
    chosen = content.recommendation
    if chosen is None:
        lines.append("No recommendation: the run is not finished.")
        return "\n".join(lines)
    row = next(row for row in content.rows if row.is_recommended)
    lines.append(
        f"Recommended for {chosen.objective} under a loss of "
        f"{_metric_name(content)} of at most {chosen.max_accuracy_drop:.2%}: "
        f"{chosen.name}. {chosen.reason}"
    )
    if chosen.drop is not None:
        lines.append(
            f"  validation (chosen on it): {row_text.judgement(chosen.drop)}"
        )
    if row.drop is not None:
        lines.append(
            f"  test (evaluated once, after): {row_text.judgement(row.drop)}"
        )
    return "\n".join(lines)


def to_markdown(
    content: report.Report, ladders: Sequence[ladder.Ladder] = ()
) -> str:
    """Returns the whole report as Markdown.

    Args:
        content: The report.
        ladders: Of its automatic recipes.
    """
    description = content.description
    counts = ", ".join(
        f"{count:,} {name}" for name, count in description.num_examples.items()
    )
    versions = ", ".join(
        f"{name} {version}" for name, version in content.versions.items()
    )
    return "\n".join(
        [
            f"# {description.model.path.name} on {description.dataset}",
            "",
            table(content, "github"),
            "",
            legend(content),
            "",
            summary(content),
            "",
            f"![{_metric_name(content)} against latency; the area is the "
            "size](report.png)",
            "",
            "## How it was measured",
            "",
            f"- Examples: {counts}. `calibration` is a part of `train`.",
            f"- {_judging(content)}",
            f"- Latency: {content.device or 'not measured'}; "
            f"{content.runtime}; {content.options}. Median over launches, "
            "bootstrap interval over launches.",
            f"- Model: sha256 {description.model.sha256}.",
            *(f"- {note}" for note in content.notes),
            f"- Versions: {versions}.",
            f"- Command: `{content.command}`.",
            "",
            _details(content),
            "",
            *ladder_text.markdown(ladders),
            *_compression(content),
            *_notes(content),
            *costs.markdown(content.costs),
            *_representative_data(content),
            "## What the linter says",
            "",
            *_findings(content),
            "",
        ]
    )


def _judging(content: report.Report) -> str:
    """Returns how the primary metric and its loss were judged."""
    metric = content.metric
    if metric is None:
        return "Not evaluated on the test split yet."
    text = f"{_metric_name(content)}: {evaluation_text.method(metric.method)}. "
    if not content.is_labelled:
        text = (
            f"The data have no labels, so nothing is known of accuracy. {text}"
        )
    drop = next((row.drop for row in content.rows if row.drop), None)
    if drop is None:
        return text.strip()
    return (
        f"{text}Loss: paired on the same examples, "
        f"{evaluation_text.method(drop.method)}{evaluation_text.unit(drop)}; "
        "`within` or `exceeded` only if the whole interval is."
    )


def _cells(row: report.Row) -> list[str]:
    name = row.name
    if row.is_pareto_optimal:
        name += " *"
    if row.is_recommended:
        name += " <"
    return [
        name,
        f"{row.size_bytes:,}",
        f"{row.times_smaller:.2f}",
        f"{row.gzip_bytes:,}",
        evaluation_text.metric(row.metric),
        evaluation_text.loss(row.drop),
        evaluation_text.verdict(row.drop),
        row_text.latency(row),
        "-" if row.times_faster is None else f"{row.times_faster:.2f}",
        "-" if row.partitions is None else str(row.partitions),
        ", ".join(x.rule for x in row.findings if x.severity == "warning"),
        "; ".join(row.warnings),
    ]


def _details(content: report.Report) -> str:
    others = content.other_names
    headers = (
        "variant",
        "made by",
        "weights quantized",
        "agreement with original",
        "max |diff|",
        *(evaluation_text.label(name) for name in others),
        "p90 ms",
        "p99 ms",
        "init ms",
        "first ms",
        "inferences/s",
        "peak MB",
    )
    rows = [
        (
            row.name,
            row.produced_by,
            f"{row.quantized_weight_fraction:.1%}",
            evaluation_text.same(row.agreement),
            f"{row.agreement.max_absolute_difference:.3g}"
            if row.agreement
            else "-",
            *(evaluation_text.value(row.other(name)) for name in others),
            row_text.number(row.p90_ms),
            row_text.number(row.p99_ms),
            row_text.number(row.init_ms),
            row_text.number(row.first_inference_ms),
            row_text.number(row.throughput_per_s),
            row_text.number(
                row.peak_memory_bytes / 1e6 if row.peak_memory_bytes else None
            ),
        )
        for row in content.rows
    ]
    return tabulate.tabulate(
        rows, headers=headers, tablefmt="github", disable_numparse=True
    )


def _compression(content: report.Report) -> list[str]:
    if not any(row.steps for row in content.rows):
        return []
    return [
        "## Compression by training",
        "",
        *compression_text.markdown(content.rows),
        "",
    ]


def _notes(content: report.Report) -> list[str]:
    lines = notes_text.lines((row.name, row.notes) for row in content.rows)
    if not lines:
        return []
    listed = [f"- {line}" for line in lines]
    return ["## Ranges, corrections, slimming", "", *listed, ""]


def _representative_data(content: report.Report) -> list[str]:
    if content.data_check is None:
        return []
    lines = data_check_text.markdown(content.data_check)
    return ["## Representative data", "", *lines, ""]


def _findings(content: report.Report) -> list[str]:
    """Returns one item for each finding, with the variants that have it."""
    variants: dict[tuple[str, str, str, str], list[str]] = {}
    for row in content.rows:
        for item in row.findings:
            key = (item.rule, item.message, item.reason, item.remedy)
            variants.setdefault(key, []).append(row.name)
    return [
        f"- **{name}** ({', '.join(found)}): {message}. {reason} {remedy}"
        for (name, message, reason, remedy), found in variants.items()
    ] or ["- Nothing."]
