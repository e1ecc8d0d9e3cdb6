# SPDX-License-Identifier: Apache-2.0
"""A report as CSV: one line for each variant, with full precision."""

import csv
import io
from collections.abc import Sequence

from tflite_opt.records import report
from tflite_opt.report import compression_text


def to_csv(content: report.Report) -> str:
    """Returns one line for each variant, with full precision."""
    buffer = io.StringIO()
    others = content.other_names
    rows = [_flat(row, others) for row in content.rows]
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _flat(row: report.Row, others: Sequence[str]) -> dict[str, object]:
    """Returns plain columns; `others` are metrics beside the primary one."""
    flat: dict[str, object] = {}
    for key, value in row.to_json().items():
        # Notes are paragraphs; report.md has them.
        if key in ("record", "schema_version", "notes"):
            continue
        if key == "warnings":
            flat[key] = "; ".join(row.warnings)
        elif key == "findings":
            flat[key] = " ".join(item.rule for item in row.findings)
        elif key in ("validation_metric", "metric"):
            for part in ("name", "value", "low", "high"):
                flat[f"{key}_{part}"] = value[part] if value else None
        elif key == "other_metrics":
            for name in others:
                found = row.other(name)
                for part in ("value", "low", "high"):
                    flat[f"{name}_{part}"] = getattr(found, part, None)
        elif key in ("validation_drop", "drop"):
            for part in ("value", "low", "high", "unit", "verdict"):
                flat[f"{key}_{part}"] = value[part] if value else None
        elif key == "steps":
            flat[key] = " ".join(x.technique["technique"] for x in row.steps)
        elif key == "kept":
            flat["promised_zero_fraction"] = compression_text.zero_fraction(
                row.kept
            )
        elif key == "agreement":
            flat[key] = value["same_predictions"] if value else None
        else:
            flat[key] = value
    return flat
