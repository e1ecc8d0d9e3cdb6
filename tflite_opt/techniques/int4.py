# SPDX-License-Identifier: Apache-2.0
"""4-bit weights: the smallest file, at some accuracy and often slower."""

import dataclasses
from typing import ClassVar, Literal

from tflite_opt.records import conversion, facts
from tflite_opt.techniques import base

_INT4_OPERATIONS = {
    "dynamic": ("CONV_2D", "FULLY_CONNECTED", "EMBEDDING_LOOKUP"),
    "weight_only": (
        "CONV_2D",
        "FULLY_CONNECTED",
        "EMBEDDING_LOOKUP",
        "BATCH_MATMUL",
    ),
}
# What has no int4 form gets int8. A depthwise convolution stays float in
# dynamic mode, where XNNPACK has no kernel for it in int8.
_INT8_OPERATIONS = {
    "dynamic": ("CONV_2D_TRANSPOSE", "BATCH_MATMUL"),
    "weight_only": ("CONV_2D_TRANSPOSE", "DEPTHWISE_CONV_2D"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Int4(base.ConversionTechnique):
    """Quantizes weights to int4; two of them share a byte.

    XNNPACK runs fully connected layers in this form, but not convolutions:
    those fall back to slower kernels and split the graph.

    Attributes:
        mode: `dynamic` computes in integers with activations quantized on the
            fly; `weight_only` unpacks the weights and computes in float.
        algorithm: How the range of each channel is found: `octav` (the least
            squared error by Newton's method), `mse` (by search) or `min_max`.
        granularity: One scale for each output channel, or for each tensor.

    References:
        Sakr et al., "Optimal Clipping and Magnitude-aware Differentiation for
        Improved Quantization-aware Training" (OCTAV), 2022.
        https://arxiv.org/abs/2206.06501
    """

    technique: ClassVar[str] = "int4"
    mode: Literal["dynamic", "weight_only"] = "dynamic"
    algorithm: conversion.QuantizerAlgorithm = "octav"
    granularity: conversion.Granularity = "per_channel"

    @classmethod
    def presets(cls) -> dict[str, base.ConversionTechnique]:
        """Returns `int4` and `weight_only_int4`."""
        return {"int4": cls(), "weight_only_int4": cls(mode="weight_only")}

    @property
    def computes_in_integers(self) -> bool:
        """True for `dynamic`: `weight_only` unpacks weights to float."""
        return self.mode == "dynamic"

    def convert(
        self, context: conversion.ConversionContext
    ) -> conversion.Converted:
        """Quantizes to int4 where it exists, to int8 elsewhere."""
        rules = [
            conversion.QuantizerRule(
                operation=operation,
                mode=self.mode,
                weight_bits=8,
                granularity=self.granularity,
            )
            for operation in _INT8_OPERATIONS[self.mode]
        ]
        rules += [
            conversion.QuantizerRule(
                operation=operation,
                mode=self.mode,
                weight_bits=4,
                granularity=self.granularity,
                algorithm=self.algorithm,
            )
            for operation in _INT4_OPERATIONS[self.mode]
        ]
        return conversion.Converted(
            content=context.litert_quantizer(rules), backend="litert_quantizer"
        )

    def verify(self, model: facts.ModelFacts) -> None:
        """Checks that weights are stored in 4 bits."""
        self.require(
            model.weight_fraction(frozenset({"int4"})) > 0,
            "store weights in int4",
            "0% of the weights in int4",
        )
