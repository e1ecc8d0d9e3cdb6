# SPDX-License-Identifier: Apache-2.0
"""Dynamic range quantization: int8 weights, activations quantized on the fly.

Needs no data. Its gain depends on the runtime: XNNPACK has no kernel for a
depthwise convolution in this form, so quantizing one splits the graph and
makes a MobileNet about twice as slow as float32. They are left out unless
asked for.
"""

import dataclasses
from typing import ClassVar

from tflite_opt.records import conversion, facts
from tflite_opt.techniques import base

_RECURRENT = frozenset(
    {
        "LSTM",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "RNN",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
        "BIDIRECTIONAL_SEQUENCE_RNN",
        "SVDF",
    }
)
# Only the TFLite converter quantizes these, with all other operations.
_CONVERTER_ONLY = _RECURRENT | {"GATHER"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DynamicRange(base.ConversionTechnique):
    """Quantizes weights to int8; activations stay float between operations.

    Attributes:
        operations: LiteRT Quantizer's names of the operations to quantize.
        granularity: One scale for each output channel, or for each tensor.
        backend: `auto` takes LiteRT Quantizer, and the TFLite converter for
            models with recurrent layers or embeddings; the converter does not
            let depthwise convolutions out.

    References:
        https://ai.google.dev/edge/litert/models/post_training_quant
    """

    technique: ClassVar[str] = "dynamic_range"
    operations: tuple[str, ...] = (
        "CONV_2D",
        "CONV_2D_TRANSPOSE",
        "FULLY_CONNECTED",
        "BATCH_MATMUL",
        "EMBEDDING_LOOKUP",
    )
    granularity: conversion.Granularity = "per_channel"
    backend: conversion.BackendChoice = "auto"

    @classmethod
    def presets(cls) -> dict[str, base.ConversionTechnique]:
        """Returns `dynamic_range`."""
        return {"dynamic_range": cls()}

    @property
    def computes_in_integers(self) -> bool:
        """True: activations become int8 for each product."""
        return True

    @property
    def needs_converter(self) -> bool:
        """Whether LiteRT Quantizer was ruled out."""
        return self.backend == "tflite_converter"

    def convert(
        self, context: conversion.ConversionContext
    ) -> conversion.Converted:
        """Quantizes with the back end that covers the model's weights."""
        by_weight = {o.name for o in context.float_facts.operators if o.weights}
        backend = self.backend
        if backend == "auto":
            backend = (
                "tflite_converter"
                if by_weight & _CONVERTER_ONLY
                else "litert_quantizer"
            )
        if backend == "tflite_converter":
            content = context.tflite_converter(
                conversion.ConverterOptions(
                    optimize=True,
                    per_channel=self.granularity == "per_channel",
                    new_dynamic_range_quantizer=not by_weight & _RECURRENT,
                )
            )
        else:
            content = context.litert_quantizer(
                [
                    conversion.QuantizerRule(
                        operation=operation,
                        mode="dynamic",
                        granularity=self.granularity,
                    )
                    for operation in self.operations
                ]
            )
        return conversion.Converted(content=content, backend=backend)

    def verify(self, model: facts.ModelFacts) -> None:
        """Checks that weights are int8 and inputs and outputs float."""
        self.require(
            model.quantized_weight_fraction > 0,
            "quantize weights",
            "0% of the weights quantized",
        )
        interface = {spec.dtype for spec in model.inputs + model.outputs}
        self.require(
            not interface & {"int8", "uint8", "int16"},
            "leave inputs and outputs unquantized",
            f"interface dtypes {sorted(interface)}",
        )
