# SPDX-License-Identifier: Apache-2.0
"""Reports of runs that were judged by another metric than top-1."""

import csv
import dataclasses

import pytest

from tflite_opt import stages
from tflite_opt.data import dataset, sources
from tflite_opt.evaluation import evaluate
from tflite_opt.records import variants
from tflite_opt.report import rows as rows_lib
from tflite_opt.report import write


def _judge_again(run, metric, is_labelled=True):
    """Evaluates the variants of a run anew; returns its report."""
    data = sources.load(dataset.DataSpec(source="digits"))
    if not is_labelled:
        bare = {
            name: dataclasses.replace(split, labels=None)
            for name, split in data.splits.items()
        }
        data = dataclasses.replace(data, splits=bare)
    names = variants.Conversion.load(run.path("conversion.json")).names
    records = [run.path("artifacts", f"{name}.json") for name in names]
    artifacts = [
        variants.Variant.load(path, run.root).artifact for path in records
    ]
    for split in ("validation", "test"):
        stages.evaluate(
            artifacts,
            data,
            split,
            evaluate.Options(metric=metric),
            run,
            run.path("float", f"original_outputs.{split}.npz"),
        )
    return write.write_report(run)[0]


def test_top1_is_called_so(finished_run):
    text = finished_run.path("report", "report.md").read_text()
    assert "|        top-1 (95 % CI) |" in text
    assert "* Pareto-optimal in top-1, latency and size" in text
    assert "top-1: Wilson interval. Loss: paired on the same examples, " in text
    assert "under a loss of top-1 of at most 0.50%" in text
    assert "| top-5 " in text


def test_an_error_is_no_percentage_and_less_of_it_is_better(copied_run):
    metric = "python:tests.evaluation.metrics.users:distance"
    content = _judge_again(copied_run, metric)
    rows = {row.name: row for row in content.rows}
    assert rows["float32"].metric.value == pytest.approx(7 / 449)
    text = copied_run.path("report", "report.md").read_text()
    assert "distance (95 % CI), lower is better" in text
    assert " 0.01559 (" in text
    assert "as a part of the baseline's value" in text
    worst = max(content.rows, key=lambda row: row.metric.value)
    assert worst.metric.value > rows["float32"].metric.value
    assert worst.drop.value > 0
    assert worst.drop.unit == "relative"
    # Of variants alike in size and latency, the one with less error wins.
    alike = [
        dataclasses.replace(row, name=name, size_bytes=1, median_ms=1.0)
        for name, row in (("worst", worst), ("best", rows["float32"]))
    ]
    marked = rows_lib.mark_pareto(alike)
    assert [row.is_pareto_optimal for row in marked] == [False, True]


def test_without_labels_the_columns_say_so(copied_run):
    content = _judge_again(copied_run, "auto", is_labelled=False)
    assert not content.is_labelled
    text = write.table(content)
    assert "no labels: agreement with the original (95 % CI)" in text
    assert "top-1" not in text
    whole = copied_run.path("report", "report.md").read_text()
    assert "The data have no labels, so nothing is known of accuracy" in whole
    lines = copied_run.path("report", "results.csv").open()
    row = next(row for row in csv.DictReader(lines) if row["name"] == "int4")
    assert row["metric_name"] == "agreement"
    assert float(row["drop_value"]) == pytest.approx(
        1 - float(row["metric_value"])
    )
