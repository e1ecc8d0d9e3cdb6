# SPDX-License-Identifier: Apache-2.0
"""The tools that a conversion technique works with, for one frozen model."""

import functools
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.conversion import litert_quantizer as quantizer_lib
from tflite_opt.conversion import tflite_converter
from tflite_opt.post_training import acceptance, clipping
from tflite_opt.records import conversion, errors, facts
from tflite_opt.tflite import facts as facts_reader


class FrozenModel:
    """Implements `records.conversion.ConversionContext`.

    Calibration is done once, on first need, and shared by all techniques.

    Attributes:
        float_model: The float `.tflite`.
        float_backend: What made it; `given` if the user did.
        float_facts: Facts of it.
        is_quantization_aware: Whether ranges of activations are part of the
            model.
        representative: Calibration data by input name, shape `(n, ...)`.
    """

    def __init__(
        self,
        float_model: pathlib.Path,
        float_facts: facts.ModelFacts,
        saved_model: pathlib.Path | None,
        representative: Mapping[str, np.ndarray],
        is_quantization_aware: bool = False,
    ) -> None:
        self.is_quantization_aware = is_quantization_aware
        self.float_model = float_model
        self.float_facts = float_facts
        has_saved_model = saved_model is not None and saved_model.exists()
        self._saved_model = saved_model if has_saved_model else None
        self.float_backend: conversion.Backend = (
            "tflite_converter" if has_saved_model else "given"
        )
        self.representative = representative

    def replaced_by(self, float_model: pathlib.Path) -> "FrozenModel":
        """Returns the same with another float `.tflite`, and only that.

        Args:
            float_model: What preparations made of this one's.
        """
        return FrozenModel(
            float_model,
            facts_reader.read_facts(float_model, delegation=False),
            None,
            self.representative,
        )

    def tflite_converter(self, options: conversion.ConverterOptions) -> bytes:
        """Converts the frozen SavedModel; see the protocol."""
        if self._saved_model is None:
            raise errors.ConversionError(
                "The TFLite converter needs a Keras model or a SavedModel, and "
                "this technique needs the converter. Received: a model that "
                "was a .tflite or a PyTorch program, or has been prepared as "
                "a .tflite. Give the original, or use techniques of LiteRT "
                "Quantizer."
            )
        return tflite_converter.convert(
            self._saved_model, options, self.representative
        )

    def litert_quantizer(
        self, rules: Sequence[conversion.QuantizerRule]
    ) -> bytes:
        """Quantizes the float `.tflite`; see the protocol."""
        static = [rule for rule in rules if rule.mode == "static"]
        ranges = None
        if static:
            ranges = self.ranges.values
            for algorithm, bits in {
                (x.activation_algorithm, x.activation_bits) for x in static
            }:
                if algorithm != "min_max":
                    limits = self._narrower_ranges(bits, algorithm)
                    ranges = quantizer_lib.clipped(ranges, limits)
        return quantizer_lib.quantize(self.float_model, rules, ranges)

    def unsupported_by_quantizer(self, policy: str) -> tuple[str, ...]:
        """Returns the operations a policy does not cover."""
        return quantizer_lib.unsupported_operations(self.float_facts, policy)

    @functools.cached_property
    def ranges(self) -> quantizer_lib.Ranges:
        """The true ranges over the calibration data."""
        return quantizer_lib.calibrate(self.float_model, self.representative)

    def _narrower_ranges(
        self, num_bits: int, algorithm: conversion.ActivationRanges
    ) -> dict[str, tuple[float, float]]:
        fitting, _ = acceptance.split(self.representative)
        return clipping.activation_ranges(
            self.float_model, fitting, num_bits, algorithm
        )
