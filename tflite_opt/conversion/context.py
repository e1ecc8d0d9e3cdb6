# SPDX-License-Identifier: Apache-2.0
"""The tools that a conversion technique works with, for one frozen model."""

import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.conversion import litert_quantizer, tflite_converter
from tflite_opt.records import conversion, errors, facts


class FrozenModel:
    """Implements `records.conversion.ConversionContext`.

    Calibration is done once, on first need, and shared by all techniques.

    Attributes:
        float_model: The float `.tflite`.
        float_backend: What made it; `given` if the user did.
        float_facts: Facts of it.
        is_quantization_aware: Whether ranges of activations are part of the
            model.
    """

    def __init__(
        self,
        float_model: pathlib.Path,
        float_facts: facts.ModelFacts,
        saved_model: pathlib.Path,
        representative: Mapping[str, np.ndarray],
        is_quantization_aware: bool = False,
    ) -> None:
        self.is_quantization_aware = is_quantization_aware
        self.float_model = float_model
        self.float_facts = float_facts
        self.float_backend: conversion.Backend = (
            "tflite_converter" if saved_model.exists() else "given"
        )
        self._saved_model = saved_model
        self._representative = representative

    def tflite_converter(self, options: conversion.ConverterOptions) -> bytes:
        """Converts the frozen SavedModel; see the protocol."""
        if not self._saved_model.exists():
            raise errors.ConversionError(
                "The TFLite converter needs a Keras model or a SavedModel, and "
                "this technique needs the converter. Received: a model that "
                "was a .tflite or a PyTorch program. Give the original, or use "
                "techniques of LiteRT Quantizer."
            )
        return tflite_converter.convert(
            self._saved_model, options, self._representative
        )

    def litert_quantizer(
        self, rules: Sequence[conversion.QuantizerRule]
    ) -> bytes:
        """Quantizes the float `.tflite`; see the protocol."""
        static = any(rule.mode == "static" for rule in rules)
        return litert_quantizer.quantize(
            self.float_model, rules, self._ranges if static else None
        )

    def unsupported_by_quantizer(self, policy: str) -> tuple[str, ...]:
        """Returns the operations a policy does not cover."""
        return litert_quantizer.unsupported_operations(self.float_facts, policy)

    @functools.cached_property
    def _ranges(self) -> dict[str, Any]:
        return litert_quantizer.calibrate(
            self.float_model, self._representative
        )
