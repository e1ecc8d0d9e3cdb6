# SPDX-License-Identifier: Apache-2.0
"""Conversion without quantization: the baseline of every comparison."""

import dataclasses
from typing import ClassVar

from tflite_opt.records import conversion, facts
from tflite_opt.techniques import base, sparse_encoding


@dataclasses.dataclass(frozen=True, kw_only=True)
class Float32(base.ConversionTechnique):
    """Keeps weights and activations in float32.

    Attributes:
        sparse_encoding: Whether to store only weights that are not zero where
            that makes the file smaller.
    """

    technique: ClassVar[str] = "float32"
    sparse_encoding: bool = False

    @classmethod
    def presets(cls) -> dict[str, base.ConversionTechnique]:
        """Returns `float32`."""
        return {"float32": cls()}

    def convert(
        self, context: conversion.ConversionContext
    ) -> conversion.Converted:
        """Returns the frozen model's own float `.tflite`, or it encoded."""
        dense = conversion.Converted(
            content=context.float_model.read_bytes(),
            backend=context.float_backend,
        )
        if not self.sparse_encoding:
            return dense
        return sparse_encoding.smaller(
            context, conversion.ConverterOptions(), dense
        )

    def verify(self, model: facts.ModelFacts) -> None:
        """Checks that no weight is stored in fewer than 32 bits."""
        fraction = model.weight_fraction(frozenset({"float32"}))
        self.require(
            fraction == 1.0 or not model.weights,
            "keep all weights in float32",
            f"{fraction:.1%} of the weights in float32",
        )
