# SPDX-License-Identifier: Apache-2.0
"""The tables and charts of an op profile."""

import io
import pathlib
from collections import defaultdict
from collections.abc import Collection, Sequence

import tabulate

from tflite_opt.records import files, op_profile
from tflite_opt.report import facts_text

_NUM_KINDS = 15
_NUM_SINGLE = 10
_TITLES: dict[op_profile.Kernels, str] = {
    "xnnpack": "With XNNPACK, by its operators and TFLite's outside of it",
    "builtin": "On the builtin kernels, by TFLite's operations",
    "gpu": "With the GPU delegate",
    "nnapi": "With NNAPI",
    "npu": "With the NPU",
    "external": "With an external delegate",
}
_DELEGATES = {
    "xnnpack": "XNNPACK",
    "gpu": "The GPU delegate",
    "nnapi": "NNAPI",
    "npu": "The NPU",
    "external": "The external delegate",
}


def describe(found: op_profile.ProfiledModel) -> str:
    """Returns tables of the slowest operations and of the delegation."""
    parts = [f"{found.artifact.name}: {coverage(found)}"]
    for profile in found.profiles:
        parts.append(f"{title(profile)}:\n{_table(profile, found)}")
    return "\n\n".join(parts)


def title(profile: op_profile.OpProfile) -> str:
    """Returns whose operations a profile has."""
    return _TITLES[profile.kernels]


def coverage(found: op_profile.ProfiledModel) -> str:
    """Returns which operations the delegate leaves out, and what that costs."""
    prepared, names = found.delegation, found.operators
    if prepared.delegate == "none":
        return f"{len(names)} operations run on the builtin kernels."
    delegate = _DELEGATES[prepared.delegate]
    if prepared.delegate_error:
        return f"{delegate} does not take it: {prepared.delegate_error}"
    taken = len(names) - len(prepared.left_out)
    text = f"{delegate} runs {taken} of {len(names)} operations"
    if not prepared.left_out:
        return f"{text} in {_partitions(prepared.partitions)}."
    left = [names[index] for index in prepared.left_out]
    counted = ", ".join(
        f"{left.count(name)} {facts_text.printable(name)}"
        for name in sorted(set(left))
    )
    text += (
        f" in {_partitions(prepared.partitions)}; outside: {counted}. "
        "Those run on slower kernels"
    )
    if (prepared.partitions or 0) > 1:
        text += (
            ", and between partitions activations leave the delegate's layout "
            "and threads wait for each other"
        )
    for profile in found.profiles:
        if profile.kernels != "builtin":
            outside = sum(o.share for o in profile.ops if not o.is_delegated)
            text += f"; they take {outside:.0%} of the time of all operations"
    return f"{text}."


def _partitions(count: int | None) -> str:
    if count is None:
        return "an unknown number of partitions"
    return f"{count} partition{'s'[: count != 1]}"


def by_kind(
    profile: op_profile.OpProfile,
) -> list[tuple[str, bool, int, float, float]]:
    """Returns name, delegated or not, count, time and share, slowest first."""
    groups: dict[tuple[str, bool], list[op_profile.ProfiledOp]]
    groups = defaultdict(list)
    for op in profile.ops:
        groups[op.name, op.is_delegated].append(op)
    rows = [
        (
            facts_text.printable(name),
            is_delegated,
            len(ops),
            sum(op.mean_us for op in ops),
            sum(op.share for op in ops),
        )
        for (name, is_delegated), ops in groups.items()
    ]
    return sorted(rows, key=lambda row: -row[3])


def _table(
    profile: op_profile.OpProfile, found: op_profile.ProfiledModel
) -> str:
    kinds = [
        (f"{count} {name}", _yes(is_delegated, profile), time, share)
        for name, is_delegated, count, time, share in by_kind(profile)
    ]
    outside = set(found.delegation.left_out)
    single = [
        (
            f"{facts_text.printable(op.name)}, number {op.index}",
            "yes" if _is_delegated(op, profile, outside) else "no",
            op.mean_us,
            op.share,
        )
        for op in sorted(profile.ops, key=lambda op: -op.mean_us)
    ]
    seen = sum(op.mean_us for op in profile.ops)
    return (
        f"{_rows(kinds[:_NUM_KINDS], 'kind of operation')}\n\n"
        f"{_rows(single[:_NUM_SINGLE], 'slowest operation')}\n"
        f"Operations add up to {seen:.1f} us, inferences took "
        f"{profile.inference_us:.1f} us, over {profile.num_runs} runs; the "
        "profiler counts whole microseconds of each operation."
    )


def _rows(rows: Sequence[tuple[str, str, float, float]], name: str) -> str:
    return tabulate.tabulate(
        [
            (name, delegated, f"{time:.1f}", f"{share:.1%}")
            for name, delegated, time, share in rows
        ],
        (name, "delegated", "us", "share"),
        disable_numparse=True,
        colalign=("left", "left", "right", "right"),
    )


def _is_delegated(
    op: op_profile.ProfiledOp,
    profile: op_profile.OpProfile,
    outside: Collection[int],
) -> bool:
    """Whether XNNPACK runs an operation when the file is used."""
    if profile.kernels != "builtin":
        return op.is_delegated
    return not op.subgraph and op.index not in outside


def _yes(is_delegated: bool, profile: op_profile.OpProfile) -> str:
    # Some of a kind may be delegated, and others not.
    if profile.kernels == "builtin":
        return "-"
    return "yes" if is_delegated else "no"


def write_chart(found: op_profile.ProfiledModel, path: pathlib.Path) -> None:
    """Draws the time of each kind of operation as bars.

    Args:
        found: The profile.
        path: Gets a PNG.
    """
    # Slow to import, and only charts need it.
    from matplotlib.figure import Figure

    tables = [by_kind(profile)[:_NUM_KINDS] for profile in found.profiles]
    height = 1.2 * len(tables) + 0.3 * sum(map(len, tables))
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.subplots(
        len(tables), squeeze=False, height_ratios=[len(x) + 1 for x in tables]
    )
    for axis, profile, rows in zip(
        axes[:, 0], found.profiles, tables, strict=True
    ):
        axis.barh(
            [f"{count} {name}" for name, _, count, _, _ in rows],
            [time for *_, time, _ in rows],
            color=[
                "C0" if is_delegated else "C1" for _, is_delegated, *_ in rows
            ],
        )
        axis.invert_yaxis()
        axis.set_xlabel("us per inference (blue: run by a delegate)")
        axis.set_title(f"{found.artifact.name}: {title(profile)}", fontsize=9)
        axis.tick_params(labelsize=8)
        axis.grid(axis="x", alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    files.write_bytes(path, buffer.getvalue())
