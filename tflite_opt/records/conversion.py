# SPDX-License-Identifier: Apache-2.0
"""What a conversion technique may ask of its surroundings.

Techniques describe what they want in these words; the stage `conversion/`
carries it out with the real converter or quantizer, in a child process. So a
technique imports neither of them.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from tflite_opt.records import channel_budget, serialization
from tflite_opt.records import facts as facts_record

Backend = Literal["tflite_converter", "litert_quantizer", "given"]
BackendChoice = Literal["auto", "tflite_converter", "litert_quantizer"]
Granularity = Literal["per_channel", "per_tensor"]
InterfaceType = Literal["float32", "int8", "uint8", "int16"]
QuantizerMode = Literal["dynamic", "weight_only", "static", "float16", "none"]
Precision = Literal["int8", "int4", "int16", "dynamic", "float16", "float32"]
RangeAlgorithm = Literal["min_max", "octav"]
ActivationRanges = Literal[
    "min_max", "octav", "mse", "percentile", "moving_average"
]
QuantizerAlgorithm = Literal["min_max", "mse", "octav"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConverterOptions(serialization.Record):
    """Settings of `tf.lite.TFLiteConverter`, in its own words.

    Attributes:
        optimize: Whether `optimizations` holds `DEFAULT`.
        supported_types: `("float16",)` or empty.
        supported_ops: Operation set.
        inference_input_type: dtype of the inputs.
        inference_output_type: dtype of the outputs.
        representative_dataset: Whether to calibrate.
        per_channel: False quantizes each weight tensor with one scale.
        new_dynamic_range_quantizer: The converter's default since TF 2.6; it
            leaves recurrent layers in float, its predecessor does not.
        sparse_encoding: Whether `optimizations` holds `EXPERIMENTAL_SPARSITY`,
            which stores weights with many zeros as those that are none.
    """

    optimize: bool = False
    supported_types: tuple[str, ...] = ()
    supported_ops: Literal[
        "TFLITE_BUILTINS",
        "TFLITE_BUILTINS_INT8",
        "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
    ] = "TFLITE_BUILTINS"
    inference_input_type: InterfaceType = "float32"
    inference_output_type: InterfaceType = "float32"
    representative_dataset: bool = False
    per_channel: bool = True
    new_dynamic_range_quantizer: bool = True
    sparse_encoding: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuantizerRule(serialization.Record):
    """One rule of a LiteRT Quantizer recipe; later rules override earlier.

    Attributes:
        operation: LiteRT Quantizer's operation name, `INPUT`, `OUTPUT`, or
            `*` for all that it supports.
        mode: How to quantize; `none` leaves the operation in float, `float16`
            stores its weights so.
        weight_bits: 8 or 4.
        activation_bits: 8 or 16; for `static` only.
        granularity: Of the weights.
        algorithm: How weight ranges are found.
        activation_algorithm: Which part of an activation's range is kept; for
            `static` only. The last tensor keeps all of it.
        symmetric_activations: Whether activations have zero point 0; for
            `static` only.
        unsigned_activations: uint8 activations; for `INPUT` and `OUTPUT` only.
        regex: Which operations, by the name of their output tensor.
    """

    operation: str
    mode: QuantizerMode
    weight_bits: int = 8
    activation_bits: int = 8
    granularity: Granularity = "per_channel"
    algorithm: QuantizerAlgorithm = "min_max"
    activation_algorithm: ActivationRanges = "min_max"
    symmetric_activations: bool = False
    unsigned_activations: bool = False
    regex: str = ".*"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Converted:
    """The result of a conversion technique.

    Attributes:
        content: Bytes of the `.tflite`.
        backend: What made it.
        notes: One sentence each, for the report.
    """

    content: bytes
    backend: Backend
    notes: tuple[str, ...] = ()


class ConversionContext(Protocol):
    """One frozen model and the tools that convert it.

    Attributes:
        float_model: The float `.tflite`.
        float_backend: What made it; `given` if the user did.
        float_facts: Facts of it.
        is_quantization_aware: Whether ranges of activations are part of the
            model.
    """

    float_model: pathlib.Path
    float_backend: Backend
    float_facts: facts_record.ModelFacts
    is_quantization_aware: bool

    def tflite_converter(self, options: ConverterOptions) -> bytes:
        """Converts the frozen SavedModel.

        Raises:
            ConversionError: If the converter rejects it, or the model has no
                SavedModel.
        """
        ...

    def litert_quantizer(self, rules: Sequence[QuantizerRule]) -> bytes:
        """Quantizes the float `.tflite`, calibrating when a rule is static.

        Raises:
            ConversionError: If the quantizer rejects it.
        """
        ...

    def unsupported_by_quantizer(self, policy: str) -> tuple[str, ...]:
        """Returns the float model's operations a policy does not cover.

        Args:
            policy: LiteRT Quantizer's name, e.g. `static_wi8_ai8`.
        """
        ...


class TrialConverter(Protocol):
    """Converts models that are still being worked on."""

    def convert(
        self,
        model: Any,
        dtype: channel_budget.Dtype,
        destination: pathlib.Path,
    ) -> None:
        """Writes the `.tflite` of a model, which nothing checks.

        Args:
            model: A built `tf_keras` model; not modified.
            dtype: Of weights and activations.
            destination: Overwritten.

        Raises:
            ConversionError: If it cannot be converted.
        """
        ...
