# SPDX-License-Identifier: Apache-2.0
"""The text about representative data."""

import tabulate

from tflite_opt.records import data_check
from tflite_opt.report import lint_text

_HEADERS = (
    "input",
    "shape",
    "dtype",
    "samples",
    "minimum",
    "maximum",
    "mean",
    "std",
    "outside train",
    "constant",
    "zero",
    "duplicate",
    "dead channels",
    "structure",
)


def describe(check: data_check.DataCheck) -> str:
    """Returns the numbers and one paragraph for each finding."""
    return f"{table(check)}\n\n{lint_text.describe('findings', check.findings)}"


def warning_lines(check: data_check.DataCheck | None) -> list[str]:
    """Returns one line for each warning, for a summary."""
    warnings = check.warnings if check else ()
    return [f"WARNING representative data: {x.message}." for x in warnings]


def markdown(check: data_check.DataCheck) -> list[str]:
    """Returns the numbers and one item for each finding, as Markdown lines."""
    return [
        table(check, "github"),
        "",
        *(
            f"- **{x.rule}** ({x.severity}): {x.message}. {x.reason} {x.remedy}"
            for x in check.findings
        ),
    ]


def table(check: data_check.DataCheck, format: str = "simple") -> str:
    """Returns two lines for each input: the samples and the train split.

    Args:
        check: The check.
        format: A `tabulate` format, e.g. `simple` or `github`.
    """
    rows = [
        row
        for item in check.inputs
        for row in (
            (
                item.name,
                "x".join(map(str, item.shape)),
                item.dtype,
                *_values(item.values),
                f"{item.outside_train_range:.2%}",
                str(item.constant_samples),
                str(item.zero_samples),
                str(item.duplicate_samples),
                f"{item.dead_channels} of {item.num_channels}",
                "-" if item.structure is None else f"{item.structure:.2f}",
            ),
            ("(train)", "", "", *_values(item.train)),
        )
    ]
    text = tabulate.tabulate(
        rows, _HEADERS, tablefmt=format, disable_numparse=True
    )
    if check.classes_covered is not None:
        text += f"\n\n{check.classes_covered} of {check.num_classes} classes "
        text += "have a sample"
    return text


def _values(values: data_check.ValueStatistics) -> tuple[str, ...]:
    numbers = (values.minimum, values.maximum, values.mean, values.std)
    return (f"{values.num_samples:,}", *(f"{x:.4g}" for x in numbers))
