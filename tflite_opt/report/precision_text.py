# SPDX-License-Identifier: Apache-2.0
"""The text about mixed precisions."""

import tabulate

from tflite_opt.records import precision_front
from tflite_opt.report import evaluation_text


def describe(
    found: precision_front.PrecisionFront,
    best: precision_front.PrecisionPoint | None,
) -> str:
    """Returns a line for each point.

    Args:
        found: The points.
        best: The one to mark; None for none.
    """
    headers = (
        "precisions",
        "bytes",
        "held-out KL",
        "expected",
        "loss vs float32 (95 % CI)",
        "partitions",
        "ms",
    )
    rows = [
        (
            ("* " if point.is_optimal else "")
            + _precisions(point)
            + (" <" if point == best else ""),
            f"{point.artifact.size_bytes:,}",
            f"{point.divergence:.1e}",
            f"{point.expected_divergence:.1e}",
            evaluation_text.loss(point.drop),
            "-" if point.partitions is None else str(point.partitions),
            "-" if point.median_ms is None else f"{point.median_ms:.3f}",
        )
        for point in found.points
    ]
    return "\n".join(
        [
            tabulate.tabulate(rows, headers, disable_numparse=True),
            "* none smaller is closer to float; < chosen. Expected: by the "
            f"scan of {found.sensitivity.seconds:.1f} s, uncorrected; the "
            "choice for each size is exact for its sums.",
        ]
    )


def _precisions(point: precision_front.PrecisionPoint) -> str:
    convert = point.recipe["convert"]
    parts = []
    if convert.get("float_prefix"):
        parts.append(f"first {convert['float_prefix']} float")
    narrow = len(convert.get("precisions", {}))
    if narrow:
        parts.append(f"{narrow} int4")
    if convert.get("dynamic_last_layer"):
        parts.append("last dynamic")
    return ", ".join(parts) or "int8"
