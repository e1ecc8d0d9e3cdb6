# SPDX-License-Identifier: Apache-2.0
"""int16 activations with int8 weights: accuracy first, slow on CPUs."""

import dataclasses
from typing import ClassVar

from tflite_opt.records import conversion, errors, facts
from tflite_opt.techniques import base, promises


@dataclasses.dataclass(frozen=True, kw_only=True)
class Int16x8(base.ConversionTechnique):
    """Quantizes activations to int16 (symmetric) and weights to int8.

    XNNPACK takes none of it: reference kernels run it 20 to 40 times slower
    than float32 on a CPU. It is meant for accelerators with int16 units.

    Attributes:
        inference_input_type: float32 or int16.
        inference_output_type: float32 or int16.
        backend: `auto` takes LiteRT Quantizer where it covers every operation
            of the model, else the TFLite converter.

    References:
        https://ai.google.dev/edge/litert/models/post_training_integer_quant_16x8
    """

    technique: ClassVar[str] = "int16x8"
    inference_input_type: conversion.InterfaceType = "float32"
    inference_output_type: conversion.InterfaceType = "float32"
    backend: conversion.BackendChoice = "auto"

    def __post_init__(self) -> None:
        """Checks the interface types.

        Raises:
            InputError: If one is neither float32 nor int16.
        """
        super().__post_init__()
        interface = (self.inference_input_type, self.inference_output_type)
        if not set(interface) <= {"float32", "int16"}:
            raise errors.InputError(
                "int16x8 has float32 or int16 inputs and outputs. "
                f"Received: {interface}"
            )

    @classmethod
    def presets(cls) -> dict[str, base.ConversionTechnique]:
        """Returns `int16x8`."""
        return {"int16x8": cls()}

    @property
    def needs_representative_dataset(self) -> bool:
        """True: activation ranges come from data."""
        return True

    @property
    def computes_in_integers(self) -> bool:
        """True: weights and activations are integers."""
        return True

    @property
    def needs_converter(self) -> bool:
        """Whether LiteRT Quantizer was ruled out."""
        return self.backend == "tflite_converter"

    def convert(
        self, context: conversion.ConversionContext
    ) -> conversion.Converted:
        """Quantizes with the back end that covers every operation."""
        uncovered = context.unsupported_by_quantizer("static_wi8_ai16")
        if self.backend == "litert_quantizer" or (
            self.backend == "auto" and not uncovered
        ):
            return conversion.Converted(
                content=context.litert_quantizer(self._rules()),
                backend="litert_quantizer",
            )
        return conversion.Converted(
            content=context.tflite_converter(
                conversion.ConverterOptions(
                    optimize=True,
                    supported_ops="EXPERIMENTAL_TFLITE_BUILTINS_"
                    "ACTIVATIONS_INT16_WEIGHTS_INT8",
                    inference_input_type=self.inference_input_type,
                    inference_output_type=self.inference_output_type,
                    representative_dataset=True,
                )
            ),
            backend="tflite_converter",
        )

    def _rules(self) -> list[conversion.QuantizerRule]:
        rules = [
            conversion.QuantizerRule(
                operation="*",
                mode="static",
                activation_bits=16,
                symmetric_activations=True,
            )
        ]
        rules += [
            conversion.QuantizerRule(operation=operation, mode="none")
            for operation, dtype in (
                ("INPUT", self.inference_input_type),
                ("OUTPUT", self.inference_output_type),
            )
            if dtype == "float32"
        ]
        return rules

    def verify(self, model: facts.ModelFacts) -> None:
        """Checks for int16 activations, int8 weights and no float inside."""
        promises.verify_integer_only(
            self,
            model,
            self.inference_input_type,
            self.inference_output_type,
        )
        self.require(
            any(
                t.dtype == "int16" and t.role == "activation"
                for t in model.tensors
            )
            or "int16" in {s.dtype for s in model.inputs + model.outputs},
            "have int16 activations",
            "no int16 activation",
        )
        fraction = model.quantized_weight_fraction
        self.require(
            fraction == 1.0,
            "store all weights in 8 bits",
            f"{fraction:.1%} of the weights quantized",
        )
