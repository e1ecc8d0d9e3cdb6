# SPDX-License-Identifier: Apache-2.0
"""What the linter says about a `.tflite`, or the doctor about data."""

import dataclasses
from typing import Literal

from tflite_opt.records import serialization

Severity = Literal["error", "warning", "note"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding(serialization.Record):
    """One thing that will be slow, large, fragile or wrong.

    Attributes:
        rule: Id of the rule, e.g. `int8-hard-swish`; silences it.
        severity: An `error` cannot be right; a `warning` costs something; a
            `note` is good to know.
        message: What is there.
        reason: Why it matters.
        remedy: What to do about it.
        operators: `subgraph:index` of the operations it is about.
    """

    rule: str
    severity: Severity
    message: str
    reason: str
    remedy: str
    operators: tuple[str, ...] = ()
