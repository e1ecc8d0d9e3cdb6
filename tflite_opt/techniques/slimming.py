# SPDX-License-Identifier: Apache-2.0
"""Slimming: a smaller file of the same model, at the same latency."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tflite_opt.records import facts
from tflite_opt.techniques import base, promises
from tflite_opt.tflite import slimming

# Outputs must be equal in every bit, so that a few examples are enough.
_NUM_EXAMPLES = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slimming(base.RefinementTechnique):
    """Stores equal parts once and drops what no inference reads.

    The file gets smaller, by 6 % (MobileNetV2) to 31 % (DS-CNN) in int8;
    compressed for download, hardly so. Latency and outputs stay the same. The
    names it drops are in `<sha256>.names.json` beside the file.
    """

    technique: ClassVar[str] = "slimming"
    # Equal constants are shared, so that none can be changed alone.
    is_last: ClassVar[bool] = True

    def refine(
        self,
        parent: pathlib.Path,
        model: pathlib.Path,
        destination: pathlib.Path,
        representative: Mapping[str, np.ndarray],
    ) -> tuple[str, ...]:
        """Writes the smaller file after comparing it bit by bit."""
        inputs = {
            name: array[:_NUM_EXAMPLES]
            for name, array in representative.items()
        }
        # Conversion runs in a process of its own that may crash.
        written = slimming.slim_file(
            model, destination, inputs or None, isolated=False
        )
        return (written.describe(),)

    def verify(self, before: facts.ModelFacts, after: facts.ModelFacts) -> None:
        """Checks that the file is smaller at most in what may be dropped."""
        self.require(
            after.size_bytes <= before.size_bytes,
            "not make a file bigger",
            f"{after.size_bytes} bytes from {before.size_bytes}",
        )
        promises.verify_same_structure(self, before, after)
