# SPDX-License-Identifier: Apache-2.0
"""int8 weights for size alone: computed in float, no data needed."""

import dataclasses
from typing import ClassVar

from tflite_opt.records import conversion, facts
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightOnlyInt8(base.ConversionTechnique):
    """Stores weights as int8 behind DEQUANTIZE; kernels compute in float32.

    XNNPACK unpacks the weights when the model is loaded: the file is about
    3.5 times smaller, latency and memory are those of float32.

    Attributes:
        granularity: One scale for each output channel, or for each tensor.

    References:
        https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/model_optimization
    """

    technique: ClassVar[str] = "weight_only_int8"
    granularity: conversion.Granularity = "per_channel"

    @classmethod
    def presets(cls) -> dict[str, base.ConversionTechnique]:
        """Returns `weight_only_int8`."""
        return {"weight_only_int8": cls()}

    def convert(
        self, context: conversion.ConversionContext
    ) -> conversion.Converted:
        """Quantizes the weights of all operations that can have it."""
        return conversion.Converted(
            content=context.litert_quantizer(
                [
                    conversion.QuantizerRule(
                        operation="*",
                        mode="weight_only",
                        granularity=self.granularity,
                    )
                ]
            ),
            backend="litert_quantizer",
        )

    def verify(self, model: facts.ModelFacts) -> None:
        """Checks that weights are int8 and nothing else is quantized."""
        self.require(
            model.weight_fraction(frozenset({"int8"})) > 0,
            "store weights in int8",
            "0% of the weights in int8",
        )
        quantized = [
            t
            for t in model.tensors
            if t.role in ("activation", "input", "output") and t.scales
        ]
        self.require(
            not quantized,
            "leave activations in float",
            f"{len(quantized)} quantized activations",
        )
