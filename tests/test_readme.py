# SPDX-License-Identifier: Apache-2.0
"""Figures in prose are those of committed records."""

import pathlib
import re

import tabulate

from tflite_opt.records import measurement, report
from tflite_opt.report import evaluation_text

_ROOT = pathlib.Path(__file__).parents[1]
_MEASUREMENTS = _ROOT / "docs" / "measurements"


def _readme():
    return (_ROOT / "README.md").read_text(encoding="utf-8")


def _table(content):
    headers = (
        "variant",
        "bytes",
        "x smaller",
        "top-1 (95 % CI)",
        "loss vs float32",
        "verdict",
        "ms",
        "x faster",
        "partitions",
    )
    rows = [
        (
            f"**{row.name}**" if row.is_recommended else row.name,
            f"{row.size_bytes:,}",
            f"{row.times_smaller:.2f}",
            evaluation_text.metric(row.metric),
            evaluation_text.loss(row.drop),
            row.drop.verdict if row.drop else "-",
            f"{row.median_ms:.4g}",
            f"{row.times_faster:.2f}",
            row.partitions,
        )
        for row in content.rows
    ]
    return tabulate.tabulate(
        rows, headers, tablefmt="github", disable_numparse=True
    )


def test_the_table_is_that_of_the_committed_run():
    content = report.Report.load(_MEASUREMENTS / "demo" / "report.json")
    assert _table(content) in _readme()
    assert content.command in _readme()


def test_figures_are_those_of_committed_studies():
    text = _readme()
    found = dict(re.findall(r"<!-- (\S+) -->([0-9.]+)", text))
    assert len(found) >= 10
    for name, printed in found.items():
        place, key = name.split(".")
        folder, _, cell = place.rpartition("/")
        record = measurement.Measurement.load(
            _MEASUREMENTS / (folder or "pipeline") / f"{cell}.json"
        )
        value = record.values[key]
        if key.endswith("_bytes"):
            value /= 1e6
        digits = len(printed.partition(".")[2])
        assert f"{value:.{digits}f}" == printed, name


def test_all_stock_models_reached_int8_as_the_readme_says():
    found = [
        measurement.Measurement.load(path).values
        for path in (_MEASUREMENTS / "applications").glob("*.json")
    ]
    assert len(found) == 2 * 11
    assert all(x["quantized_weight_fraction"] == 1 for x in found)
    assert all(x["distinct_predictions"] > 1 for x in found)
    (refused,) = [x for x in found if not x["is_trainable"]]
    assert f"{refused['rebuilt_difference']:.1e}" == "1.5e-05"
    assert "is 1.5e-5 off" in _readme()


def test_no_committed_record_tells_of_a_machine():
    for path in _MEASUREMENTS.rglob("*.[jm][sd]*"):
        assert not re.search(r'"/|`/', path.read_text()), path
