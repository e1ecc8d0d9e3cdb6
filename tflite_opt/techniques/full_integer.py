# SPDX-License-Identifier: Apache-2.0
"""Full integer quantization: int8 weights and activations, calibrated."""

import dataclasses
from typing import ClassVar

from tflite_opt.records import conversion, errors, facts
from tflite_opt.techniques import base, promises


@dataclasses.dataclass(frozen=True, kw_only=True)
class FullInteger(base.ConversionTechnique):
    """Quantizes weights and activations to int8.

    Activation ranges are the true minimum and maximum over the representative
    dataset. The only float tensors allowed are the inputs and outputs, where
    they were asked for.

    Attributes:
        inference_input_type: dtype of the inputs.
        inference_output_type: dtype of the outputs.
        granularity: Of the weights: one scale for each output channel, or one
            for each tensor.
        symmetric_activations: Zero point 0 for activations; LiteRT Quantizer
            only.
        weight_algorithm: How the range of each channel is found: its true
            extremes (`min_max`), or what gives the least squared error
            (`octav`); LiteRT Quantizer only.
        activation_algorithm: Likewise for activations, except for inputs and
            for what the last layer gives. `mse`, `percentile` and
            `moving_average` are what other tools do, to compare with.
        backend: `auto` takes LiteRT Quantizer where it covers every operation
            of the model, else the TFLite converter.

    References:
        Jacob et al., "Quantization and Training of Neural Networks for
        Efficient Integer-Arithmetic-Only Inference", 2018.
        https://arxiv.org/abs/1712.05877
    """

    technique: ClassVar[str] = "full_integer"
    inference_input_type: conversion.InterfaceType = "int8"
    inference_output_type: conversion.InterfaceType = "int8"
    granularity: conversion.Granularity = "per_channel"
    symmetric_activations: bool = False
    weight_algorithm: conversion.RangeAlgorithm = "min_max"
    activation_algorithm: conversion.ActivationRanges = "min_max"
    backend: conversion.BackendChoice = "auto"

    def __post_init__(self) -> None:
        """Checks the fields against each other.

        Raises:
            InputError: If a combination does not exist.
        """
        super().__post_init__()
        interface = (self.inference_input_type, self.inference_output_type)
        if "int16" in interface:
            raise errors.InputError(
                "Full integer quantization has int8, uint8 or float32 inputs "
                f"and outputs. Received: {interface}. Use int16x8 for int16."
            )
        if self.needs_converter and self._quantizer_options():
            raise errors.InputError(
                "The TFLite converter has true ranges and asymmetric "
                "activations only. Received: "
                f"{', '.join(self._quantizer_options())}, "
                "backend=tflite_converter. Use backend=litert_quantizer."
            )

    def _quantizer_options(self) -> tuple[str, ...]:
        """Returns what only LiteRT Quantizer can do."""
        return tuple(
            f"{name}={getattr(self, name)}"
            for name, default in (
                ("symmetric_activations", False),
                ("weight_algorithm", "min_max"),
                ("activation_algorithm", "min_max"),
            )
            if getattr(self, name) != default
        )

    @classmethod
    def presets(cls) -> dict[str, base.ConversionTechnique]:
        """Returns `int8`, `int8_uint8_io` and `int8_float_io`."""
        return {
            "int8": cls(),
            "int8_uint8_io": cls(
                inference_input_type="uint8", inference_output_type="uint8"
            ),
            "int8_float_io": cls(
                inference_input_type="float32", inference_output_type="float32"
            ),
        }

    @property
    def needs_representative_dataset(self) -> bool:
        """True: activation ranges come from data."""
        return True

    @property
    def takes_fake_quantization(self) -> bool:
        """True, unless only LiteRT Quantizer can do what was asked for."""
        return (
            self.backend != "litert_quantizer" and not self._quantizer_options()
        )

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
        """Quantizes with the back end that covers every operation.

        A quantization-aware model needs the TFLite converter, which calibrates
        only what training gave no range.
        """
        uncovered = context.unsupported_by_quantizer("static_wi8_ai8")
        aware = context.is_quantization_aware
        use_converter = self.backend == "tflite_converter" or (
            self.backend == "auto"
            and (aware or bool(uncovered))
            and not self._quantizer_options()
        )
        if not use_converter:
            return conversion.Converted(
                content=context.litert_quantizer(self._rules()),
                backend="litert_quantizer",
            )
        content = context.tflite_converter(
            conversion.ConverterOptions(
                optimize=True,
                supported_ops="TFLITE_BUILTINS_INT8",
                inference_input_type=self.inference_input_type,
                inference_output_type=self.inference_output_type,
                representative_dataset=True,
                per_channel=self.granularity == "per_channel",
            )
        )
        notes = (
            (f"LiteRT Quantizer does not cover {', '.join(uncovered)}.",)
            if uncovered and not aware
            else ()
        )
        return conversion.Converted(
            content=content, backend="tflite_converter", notes=notes
        )

    def _rules(self) -> list[conversion.QuantizerRule]:
        static = conversion.QuantizerRule(
            operation="*",
            mode="static",
            granularity=self.granularity,
            algorithm=self.weight_algorithm,
            activation_algorithm=self.activation_algorithm,
            symmetric_activations=self.symmetric_activations,
        )
        rules = [static]
        for operation, dtype in (
            ("INPUT", self.inference_input_type),
            ("OUTPUT", self.inference_output_type),
        ):
            if dtype == "float32":
                rules.append(
                    conversion.QuantizerRule(operation=operation, mode="none")
                )
            elif dtype == "uint8":
                rules.append(
                    dataclasses.replace(
                        static,
                        operation=operation,
                        symmetric_activations=False,
                        unsigned_activations=True,
                    )
                )
        return rules

    def verify(self, model: facts.ModelFacts) -> None:
        """Checks that no float tensor is inside and the interface is right."""
        promises.verify_integer_only(
            self,
            model,
            self.inference_input_type,
            self.inference_output_type,
        )
        fraction = model.quantized_weight_fraction
        self.require(
            fraction == 1.0,
            "store all weights in 8 bits",
            f"{fraction:.1%} of the weights quantized",
        )
