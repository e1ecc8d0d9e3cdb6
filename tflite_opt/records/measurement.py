# SPDX-License-Identifier: Apache-2.0
"""One finished cell of a study."""

import dataclasses

from tflite_opt.records import serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measurement(serialization.Record):
    """What one cell found, and on what.

    Attributes:
        study: Name of the study.
        cell: Name of the cell.
        values: Numbers by name; units are in the names.
        rounds: How often everything was measured, interleaved.
        device: The machine, as text.
        versions: Package versions.
        commit: Of the code that was measured; "" outside a checkout.
    """

    study: str
    cell: str
    values: dict[str, float]
    rounds: int
    device: str
    versions: dict[str, str]
    commit: str
