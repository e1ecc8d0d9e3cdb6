# SPDX-License-Identifier: Apache-2.0
"""Replays golden vectors on files, with each kernel that takes them."""

import pathlib
from collections.abc import Sequence

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors
from tflite_opt.records import golden as golden_record
from tflite_opt.tflite import golden, probe


def replay(
    artifacts: Sequence[artifact_record.Artifact],
    golden_path: pathlib.Path | None = None,
) -> list[golden_record.GoldenResult]:
    """Replays golden vectors.

    Args:
        artifacts: `.tflite` files.
        golden_path: The golden file for all of them; None for the one beside
            each.

    Returns:
        For each file one result with XNNPACK and one with the builtin kernels,
        as far as they prepare it.

    Raises:
        InputError: If a golden file is missing or none.
        DataError: If it is for other inputs or outputs.
        ModelError: If a file cannot be prepared.
    """
    # All of them first: bad input is refused before any work.
    vectors = [
        golden.read(golden_path or golden_record.path_beside(item.path))
        for item in artifacts
    ]
    return [
        golden.replay(item.path, stored, delegate)
        for item, stored in zip(artifacts, vectors, strict=True)
        for delegate in _usable_delegates(item.path)
    ]


def _usable_delegates(path: pathlib.Path) -> list[benchmark.Delegate]:
    # In a child process: a damaged file can crash the interpreter.
    found = probe.probe(path)
    usable: list[benchmark.Delegate] = []
    if not found.delegate_error:
        usable.append("xnnpack")
    if not found.builtin_error:
        usable.append("none")
    if not usable:
        raise errors.ModelError(
            "The interpreter must be able to prepare the model. Received: "
            f"{str(path)!r}, {found.delegate_error}"
        )
    return usable
