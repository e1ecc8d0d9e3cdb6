# SPDX-License-Identifier: Apache-2.0
"""The text about what was done to files without training."""

from collections.abc import Iterable, Sequence


def lines(noted: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Returns a line for each note, with the variants that have it.

    Args:
        noted: Name and notes of each variant.
    """
    variants: dict[str, list[str]] = {}
    for name, notes in noted:
        for note in notes:
            variants.setdefault(note, []).append(name)
    return [f"{', '.join(names)}: {note}" for note, names in variants.items()]
