# SPDX-License-Identifier: Apache-2.0
"""From the user's model to the file, step by step."""

import dataclasses
from typing import Literal

from tflite_opt.records import artifact, compression, report, variants

_SEPARATOR = " > "


@dataclasses.dataclass(frozen=True, kw_only=True)
class Node:
    """A file, or what was done to it.

    Attributes:
        kind: Which of both.
        title: Its name.
        details: A line each.
        sha256: Of the file; "" of a step.
    """

    kind: Literal["file", "step"]
    title: str
    details: tuple[str, ...]
    sha256: str = ""


def lineage(
    variant: variants.Variant, description: report.RunDescription
) -> list[Node]:
    """Returns files and steps in turn, the user's model first."""
    compressed = variant.compressed
    steps = compressed.steps if compressed else ()
    nodes = [_file(description.model, description.model.path.name)]
    nodes += [_trained(step) for step in steps]
    if compressed:
        nodes.append(_file(compressed.artifact, "Keras model"))
    # The techniques of a recipe are in order: those that train come first.
    later = variant.technique.split(_SEPARATOR)[len(steps) :]
    nodes += [
        Node(kind="step", title=name, details=_conversion(variant, index))
        for index, name in enumerate(later)
    ]
    return [*nodes, _file(variant.artifact, f"{variant.artifact.name}.tflite")]


def _file(item: artifact.Artifact, title: str) -> Node:
    return Node(
        kind="file",
        title=title,
        details=(f"{item.size_bytes:,} bytes",),
        sha256=item.sha256,
    )


def _trained(step: compression.CompressionStep) -> Node:
    epochs = sum(history.epochs for history in step.histories)
    details = [f"{step.seconds:.0f} s"]
    if step.energy_kwh is not None:
        details.append(f"{step.energy_kwh:.3g} kWh by codecarbon")
    if epochs:
        details.insert(0, f"{epochs} epochs")
    chosen = {
        key: value
        for key, value in step.technique.items()
        if key != "technique" and value not in (None, [], {}, "", False)
    }
    details += [f"{key}={value}" for key, value in chosen.items()]
    return Node(
        kind="step",
        title=str(step.technique["technique"]),
        details=tuple(details),
    )


def _conversion(variant: variants.Variant, index: int) -> tuple[str, ...]:
    """Returns what only the first step after training has: a back end."""
    if index:
        return ()
    details = [f"by {variant.backend}"]
    if variant.calibration is not None:
        details.append(f"{variant.calibration.num_samples} samples")
    return tuple(details)
