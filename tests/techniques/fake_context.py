# SPDX-License-Identifier: Apache-2.0
"""A conversion context that remembers what it was asked for."""

import pathlib
from collections.abc import Sequence

from tests import factories
from tflite_opt.records import conversion, facts


class FakeContext:
    """Implements `records.conversion.ConversionContext` without a model."""

    def __init__(
        self,
        float_model: pathlib.Path = pathlib.Path("float.tflite"),
        float_facts: facts.ModelFacts | None = None,
        unsupported: tuple[str, ...] = (),
        is_quantization_aware: bool = False,
    ) -> None:
        self.is_quantization_aware = is_quantization_aware
        self.float_model = float_model
        self.float_backend: conversion.Backend = "tflite_converter"
        self.float_facts = float_facts or factories.model_facts()
        self._unsupported = unsupported
        self.options: conversion.ConverterOptions | None = None
        self.rules: list[conversion.QuantizerRule] = []
        self.policy = ""

    def tflite_converter(self, options: conversion.ConverterOptions) -> bytes:
        self.options = options
        return b"converter"

    def litert_quantizer(
        self, rules: Sequence[conversion.QuantizerRule]
    ) -> bytes:
        self.rules = list(rules)
        return b"quantizer"

    def unsupported_by_quantizer(self, policy: str) -> tuple[str, ...]:
        self.policy = policy
        return self._unsupported
