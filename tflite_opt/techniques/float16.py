# SPDX-License-Identifier: Apache-2.0
"""Float16 weights: half the file, the latency of float32 on a CPU."""

import dataclasses
from typing import ClassVar

from tflite_opt.records import conversion, facts
from tflite_opt.techniques import base, sparse_encoding


@dataclasses.dataclass(frozen=True, kw_only=True)
class Float16(base.ConversionTechnique):
    """Stores weights as float16; kernels compute in float32.

    XNNPACK unpacks the weights when the model is loaded, so a CPU runs it as
    fast as float32; GPUs use the float16 values as they are.

    Attributes:
        sparse_encoding: Whether to store only weights that are not zero where
            that makes the file smaller.

    References:
        https://ai.google.dev/edge/litert/models/post_training_float16_quant
    """

    technique: ClassVar[str] = "float16"
    sparse_encoding: bool = False

    @classmethod
    def presets(cls) -> dict[str, base.ConversionTechnique]:
        """Returns `float16`."""
        return {"float16": cls()}

    def convert(
        self, context: conversion.ConversionContext
    ) -> conversion.Converted:
        """Converts with `target_spec.supported_types = [float16]`."""
        options = conversion.ConverterOptions(
            optimize=True, supported_types=("float16",)
        )
        dense = conversion.Converted(
            content=context.tflite_converter(options),
            backend="tflite_converter",
        )
        if not self.sparse_encoding:
            return dense
        return sparse_encoding.smaller(context, options, dense)

    def verify(self, model: facts.ModelFacts) -> None:
        """Checks that all weights are float16."""
        fraction = model.weight_fraction(frozenset({"float16"}))
        self.require(
            fraction == 1.0,
            "store all weights in float16",
            f"{fraction:.1%} of the weights in float16",
        )
