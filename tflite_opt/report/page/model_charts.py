# SPDX-License-Identifier: Apache-2.0
"""Charts of what a variant is: its weights, operations and training."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import altair as alt

from tflite_opt.records import compression, facts, op_profile
from tflite_opt.report import facts_text, op_profile_text
from tflite_opt.report.page import chart

_MOST_BARS = 30
_OUTSIDE = "builtin kernels"
_OPERATION = ("operation", "MACs", "parameters", "run by")


def weights(found: facts.ModelFacts) -> list[chart.View]:
    """Returns the bytes, storage and zeros of each weight, in file order."""
    names = _names(found)
    largest = sorted(found.weights, key=lambda t: -t.constant_bytes)
    shown = set(map(id, largest[:_MOST_BARS]))
    rows: list[dict[str, Any]] = [
        {
            "weight": names[tensor.subgraph, tensor.index],
            "stored as": tensor.dtype + (", sparse" * tensor.is_sparse),
            "shape": facts_text.shape(tensor.shape),
            "kB": tensor.constant_bytes / 1e3,
            "zeros": tensor.values.zeros / max(tensor.num_elements, 1)
            if tensor.values
            else None,
            "distinct values": tensor.values.unique_values
            if tensor.values
            else None,
        }
        for tensor in found.weights
        if id(tensor) in shown
    ]
    if not rows:
        return []
    left_out = len(found.weights) - len(rows)
    note = f" The {left_out} smallest are left out." if left_out else ""
    tooltip = [key for key in rows[0] if key != "kB"] + ["kB"]
    views = [
        chart.View(
            title="Bits and bytes of the weights",
            caption="By layer, in the order of the file." + note,
            spec=chart.bars(
                rows,
                name="weight",
                value="kB",
                title="kB in the file",
                tooltip=tooltip,
                color="stored as",
            ),
        )
    ]
    if any(row["zeros"] is not None for row in rows):
        views.append(
            chart.View(
                title="Sparsity of the weights",
                caption="Zeros among the stored values." + note,
                spec=chart.bars(
                    rows,
                    name="weight",
                    value="zeros",
                    title="zeros",
                    tooltip=tooltip,
                    format="%",
                ),
            )
        )
    return views


def operations(found: facts.ModelFacts) -> list[chart.View]:
    """Returns which operations the delegate takes, and where the work is."""
    main = [x for x in found.operators if not x.subgraph]
    if not main or found.delegation is None:
        return []
    owner = {
        index: f"{found.delegation.delegate} partition {number}"
        for number, part in enumerate(found.delegation.delegated, 1)
        for index in part
    }
    rows: list[dict[str, Any]] = [
        {
            "start": operator.index,
            "end": operator.index + 1,
            "operation": f"{operator.index} {_printable(operator.name)}",
            "MACs": operator.macs,
            "parameters": operator.parameters,
            "run by": owner.get(operator.index, _OUTSIDE),
        }
        for operator in main
    ]
    strip = (
        alt.Chart(chart.data(rows))
        .mark_bar(stroke="currentColor", strokeWidth=0.3)
        .encode(
            x=alt.X(
                "start:Q",
                title="operation, in order",
                axis=alt.Axis(format="d", tickMinStep=1),
                scale=alt.Scale(nice=False),
            ),
            x2="end",
            color=alt.Color(
                "run by:N",
                title=None,
                sort=None,
                legend=chart.BELOW,
            ),
            tooltip=chart.tooltips(_OPERATION),
        )
        .properties(height=44)
    )
    known = [row for row in rows if row["MACs"]]
    views = [
        chart.View(
            title="Delegation",
            caption=_delegation(found, len(main)),
            spec=chart.spec(strip),
        )
    ]
    if known:
        most = sorted(known, key=lambda row: -row["MACs"])[:_MOST_BARS]
        views.append(
            chart.View(
                title="Multiply-accumulates",
                caption="The operations with most of them.",
                spec=chart.bars(
                    most,
                    name="operation",
                    value="MACs",
                    title="MACs",
                    tooltip=_OPERATION,
                    color="run by",
                    format="~s",
                ),
            )
        )
    return views


def profiles(found: Sequence[op_profile.ProfiledModel]) -> list[chart.View]:
    """Returns the time of each kind of operation, for each profile."""
    return [
        chart.View(
            title=f"Time by operation, {model.num_threads} "
            f"thread{'s'[: model.num_threads != 1]}",
            caption=f"{op_profile_text.title(profile)}; over "
            f"{profile.num_runs} profiled inferences."
            + ("" if profile.kernels == "builtin" else f" {coverage}"),
            spec=chart.bars(
                [
                    {
                        "operation": f"{count} {name}",
                        "us": time,
                        "share": f"{share:.1%}",
                        "run by": "a delegate" if delegated else _OUTSIDE,
                    }
                    for name, delegated, count, time, share in (
                        op_profile_text.by_kind(profile)[:_MOST_BARS]
                    )
                ],
                name="operation",
                value="us",
                title="us per inference",
                tooltip=["operation", "us", "share", "run by"],
                color="run by",
            ),
        )
        for model in found
        for coverage in [op_profile_text.coverage(model)]
        for profile in model.profiles
    ]


def training(steps: Sequence[compression.CompressionStep]) -> list[chart.View]:
    """Returns the curves of each training that a technique did."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for step in steps:
        several = len(step.histories) > 1
        for number, history in enumerate(step.histories, 1):
            part = f" {number}" if several else ""
            name = f"{step.technique['technique']}{part}"
            curves = {
                ("loss", "train"): history.loss,
                ("loss", "validation"): history.validation_loss,
                ("accuracy", "train"): history.accuracy,
                ("accuracy", "validation"): history.validation_accuracy,
            }
            for (quantity, split), values in curves.items():
                rows[quantity] += [
                    {
                        "epoch": epoch,
                        quantity: value,
                        "split": split,
                        "training": name,
                        "kept": "yes" if epoch == history.kept_epoch else "no",
                    }
                    for epoch, value in enumerate(values, 1)
                ]
    return [
        chart.View(
            title=f"Training: {quantity}",
            caption="After each epoch; the square marks the epoch whose "
            "weights were kept.",
            spec=_curves(points, quantity),
        )
        for quantity, points in rows.items()
        if points
    ]


def _curves(rows: chart.Rows, quantity: str) -> dict[str, Any]:
    base = alt.Chart(chart.data(rows)).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y(
            field=quantity, type="quantitative", scale=alt.Scale(zero=False)
        ),
        color=alt.Color("training:N", title=None, legend=chart.BELOW),
        strokeDash=alt.StrokeDash(
            "split:N",
            title=None,
            legend=alt.Legend(
                orient="bottom",
                symbolType="stroke",
                symbolStrokeColor="currentColor",
            ),
        ),
        tooltip=chart.tooltips(["training", "split", "epoch", quantity]),
    )
    kept = base.transform_filter("datum.kept == 'yes'").mark_square(size=70)
    return chart.spec(alt.layer(base.mark_line(), kept).properties(height=190))


def _delegation(found: facts.ModelFacts, total: int) -> str:
    prepared = found.delegation
    if prepared is None or prepared.delegate_error:
        return f"Not taken: {prepared.delegate_error if prepared else ''}"
    taken = total - len(prepared.left_out)
    count = prepared.partitions
    return (
        f"{prepared.delegate} runs {taken} of {total} operations in "
        f"{count} partition{'s'[: count != 1]}."
    )


def _names(found: facts.ModelFacts) -> dict[tuple[int, int], str]:
    """Returns a short, unique label of each weight."""
    labels: dict[tuple[int, int], str] = {}
    taken: set[str] = set()
    for tensor in found.weights:
        label = _printable(_layer(tensor.name)) or f"tensor {tensor.index}"
        if label in taken:
            label = f"{label} ({tensor.subgraph}:{tensor.index})"
        taken.add(label)
        labels[tensor.subgraph, tensor.index] = label
    return labels


def _layer(name: str) -> str:
    """Returns the part of a tensor's name that says its layer.

    Converters write `model/layer/Conv2D`, and join what was fused with `;`.
    """
    parts = name.rpartition(";")[2].split("/")
    return "/".join(parts[1:-1]) if len(parts) > 2 else name


def _printable(name: str) -> str:
    return facts_text.printable(name)
