# SPDX-License-Identifier: Apache-2.0
"""Refinements that are fitted to calibration data, and kept only if they help.

One half of the calibration data is for fitting, the other decides. If the
refined file is no closer to its float parent there, it stays as it was, and a
note says so: that is no error.
"""

import abc
import dataclasses
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tflite_opt.post_training import acceptance
from tflite_opt.records import compression, facts, files
from tflite_opt.techniques import base, promises


@dataclasses.dataclass(frozen=True, kw_only=True)
class FittedRefinement(base.RefinementTechnique):
    """Changes constants of a quantized file: same size, same speed."""

    needs_integers: ClassVar[bool] = True
    # What was trained for a grid already lies on it.
    breaks: ClassVar[frozenset[compression.Property]] = frozenset(
        {"fake_quantization"}
    )

    @abc.abstractmethod
    def fit(
        self,
        parent: pathlib.Path,
        model: pathlib.Path,
        destination: pathlib.Path,
        fitting: Mapping[str, np.ndarray],
    ) -> str:
        """Writes a copy of the model with other constants.

        Args:
            parent: The float `.tflite`.
            model: What was made of it.
            destination: Where the copy goes.
            fitting: Data to fit to, by input name, shape `(n, ...)`.

        Returns:
            One sentence on what was changed.

        Raises:
            ModelError: If the model cannot be refined.
            DataError: If the data do not fit it.
        """

    def refine(
        self,
        parent: pathlib.Path,
        model: pathlib.Path,
        destination: pathlib.Path,
        representative: Mapping[str, np.ndarray],
    ) -> tuple[str, ...]:
        """Writes the refined file, or the same again if it is no better."""
        fitting, held_out = acceptance.split(representative)
        with files.atomic_path(destination) as refined:
            done = self.fit(parent, model, refined, fitting)
            judgement = acceptance.judge(parent, model, refined, held_out)
            if not judgement.is_better:
                refined.write_bytes(model.read_bytes())
        return done, judgement.describe(self.technique)

    def verify(self, before: facts.ModelFacts, after: facts.ModelFacts) -> None:
        """Checks that only values of constants can have changed."""
        promises.verify_same_structure(self, before, after)
        self.require(
            after.size_bytes == before.size_bytes,
            "keep the size of the file",
            f"{after.size_bytes} bytes from {before.size_bytes}",
        )
