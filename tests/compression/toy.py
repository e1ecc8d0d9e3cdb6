# SPDX-License-Identifier: Apache-2.0
"""Compression without training, to see what becomes of promises."""

import dataclasses
from typing import Any, ClassVar

import numpy as np

from tflite_opt.keras_models import fine_tuning
from tflite_opt.records import compression, errors
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyZeros(base.CompressionTechnique):
    """Sets the smaller half of a layer's kernel to zero.

    Attributes:
        layer: Whose kernel.
        promised: Fraction of zeros that it says it gives.
        diverges: Whether to fail instead.
    """

    technique: ClassVar[str] = "toy_zeros"
    gives: ClassVar[compression.Property | None] = "sparsity"

    layer: str = "residual"
    promised: float = 0.5
    diverges: bool = False

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        if self.diverges:
            raise errors.InputError("The loss must stay finite.")
        kernel = model.get_layer(self.layer).kernel
        values = kernel.numpy()
        smaller = np.abs(values) <= np.median(np.abs(values))
        kernel.assign(np.where(smaller, 0, values))
        return fine_tuning.Compressed(
            model=model,
            promises=(
                compression.Promise(
                    layer=self.layer,
                    weight="kernel",
                    min_zero_fraction=self.promised,
                ),
            ),
            notes=(f"{self.layer} is half empty.",),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToySigns(base.CompressionTechnique):
    """Gives all weights of a layer one magnitude.

    Attributes:
        layer: Whose kernel.
        keeps_zeros: Whether zeros stay, as `preserve` says.
    """

    technique: ClassVar[str] = "toy_signs"
    gives: ClassVar[compression.Property | None] = "clusters"
    preserves: ClassVar[frozenset[compression.Property]] = frozenset(
        {"sparsity"}
    )

    layer: str = "residual"
    keeps_zeros: bool = True

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        kernel = model.get_layer(self.layer).kernel
        signs = np.sign(kernel.numpy())
        if not self.keeps_zeros:
            signs = np.where(signs == 0, 1, signs)
        kernel.assign(signs * 0.1)
        return fine_tuning.Compressed(
            model=model,
            promises=(
                compression.Promise(
                    layer=self.layer, weight="kernel", max_unique_values=3
                ),
            ),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyRanges(base.CompressionTechnique):
    """Says that it gives ranges; for the rules of recipes only."""

    technique: ClassVar[str] = "toy_ranges"
    gives: ClassVar[compression.Property | None] = "fake_quantization"

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        return fine_tuning.Compressed(model=model)
