# SPDX-License-Identifier: Apache-2.0
"""Mixed precision: int8, but for the operations that lose most by it.

Which ones is fixed here, by hand or by a search. Helps beside bias correction:
without it, the shift of means that the other layers cause hides the gain.
"""

import dataclasses
import re
from collections.abc import Sequence
from typing import ClassVar

from tflite_opt.records import conversion, errors, facts
from tflite_opt.techniques import base
from tflite_opt.tflite import operation_patterns

_INTERFACE = ("float32", "int8")
# XNNPACK computes these with int8 weights and float activations.
_DYNAMIC_OPERATIONS = frozenset({"CONV_2D", "FULLY_CONNECTED"})
_NEED_KERNELS = frozenset({"int4", "dynamic"})
# Whose activations are float inside.
_IN_FLOAT = frozenset({"float16", "float32"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixedPrecision(base.ConversionTechnique):
    """Quantizes weights and activations to int8, with exceptions.

    A tensor stays float only if what writes it and all that reads it do, so
    layers in float should follow one another: with its weights alone, a single
    one changes next to nothing. An element-wise operation with constants is
    worth it anywhere: they have one scale together, and where one of them is
    large, the others vanish in int8. Early layers have few weights, so that
    leaving the first 4 of a MobileNetV1 0.25 in float cost 0.1 % of size and
    5 % of latency.

    A pattern is the name of a Keras layer, the name of an operation's output
    tensor, or a regular expression that is searched for in the latter. A
    precision is one of
    - `int4`: weights in int4, for convolutions and fully connected layers.
      XNNPACK leaves such convolutions to slower kernels.
    - `int16`: activations in int16; slower kernels, too.
    - `dynamic`: weights in int8, float inputs and outputs.
    - `float16`: weights in float16, computed in float32.
    - `float32`, and `int8` for what an earlier pattern made something else.

    Attributes:
        float_prefix: How many operations stay in float, from the first.
        float_layers: Patterns of other operations that do.
        precisions: Of operations, by pattern; later patterns override earlier
            ones.
        dynamic_last_layer: Whether the last layer with weights has int8
            weights but float inputs and outputs, as has all behind it. Int8
            scores are often equal where float ones are not; the file gets
            smaller, too.
        inference_input_type: float32 or int8.
        inference_output_type: float32 or int8.
    """

    technique: ClassVar[str] = "mixed_precision"
    float_prefix: int = 0
    float_layers: tuple[str, ...] = ()
    precisions: dict[str, conversion.Precision] = dataclasses.field(
        default_factory=dict
    )
    dynamic_last_layer: bool = False
    inference_input_type: conversion.InterfaceType = "float32"
    inference_output_type: conversion.InterfaceType = "float32"

    def __post_init__(self) -> None:
        """Checks the fields against each other.

        Raises:
            InputError: If nothing is chosen, a pattern is no regular
                expression, or a value is out of its range.
        """
        super().__post_init__()
        chosen = self.float_prefix or self.float_layers or self.precisions
        if self.float_prefix < 0 or not (chosen or self.dynamic_last_layer):
            raise errors.InputError(
                "Mixed precision needs a positive `float_prefix`, "
                "`float_layers`, `precisions` or `dynamic_last_layer`. "
                "Received: "
                f"float_prefix={self.float_prefix}. Use full_integer for int8 "
                "throughout."
            )
        interface = (self.inference_input_type, self.inference_output_type)
        if not set(interface) <= set(_INTERFACE):
            raise errors.InputError(
                "Mixed precision has float32 or int8 inputs and outputs. "
                f"Received: {interface}."
            )
        if self.dynamic_last_layer and interface[1] != "float32":
            raise errors.InputError(
                "A dynamic last layer has float32 outputs. Received: "
                f"inference_output_type={interface[1]}."
            )
        for pattern in (*self.float_layers, *self.precisions):
            operation_patterns.compiled(pattern)

    @classmethod
    def presets(cls) -> dict[str, base.ConversionTechnique]:
        """Returns none: what to choose depends on the model."""
        return {}

    @property
    def needs_representative_dataset(self) -> bool:
        """True: activation ranges come from data."""
        return True

    @property
    def computes_in_integers(self) -> bool:
        """True, but for the exceptions."""
        return True

    def convert(
        self, context: conversion.ConversionContext
    ) -> conversion.Converted:
        """Quantizes what is not to stay float.

        Raises:
            InputError: If a pattern matches nothing, or an operation in float
                would change nothing.
        """
        operators = _main_operators(context.float_facts)
        names = {
            t.index: t.name
            for t in context.float_facts.tensors
            if not t.subgraph
        }
        chosen = self._chosen(context, operators)
        in_float = {p for p, x in chosen.items() if x in _IN_FLOAT}
        _require_effect(in_float, operators, context.float_facts)
        if self.dynamic_last_layer:
            last = _last_layer(operators)
            chosen[last] = "dynamic"
            chosen |= dict.fromkeys(range(last + 1, len(operators)), "float32")
        rules = [conversion.QuantizerRule(operation="*", mode="static")]
        rules += [
            conversion.QuantizerRule(operation=operation, mode="none")
            for operation, dtype in (
                ("INPUT", self.inference_input_type),
                ("OUTPUT", self.inference_output_type),
            )
            if dtype == "float32"
        ]
        rules += [
            _rule(operators[position], precision, names)
            for position, precision in sorted(chosen.items())
            if precision != "int8"
        ]
        return conversion.Converted(
            content=context.litert_quantizer(rules), backend="litert_quantizer"
        )

    def _chosen(
        self,
        context: conversion.ConversionContext,
        operators: Sequence[facts.OperatorFacts],
    ) -> dict[int, conversion.Precision]:
        """Returns what is not int8 throughout, by position."""
        if self.float_prefix >= len(operators):
            raise errors.InputError(
                "`float_prefix` must leave operations to quantize: the model "
                f"has {len(operators)}. Received: "
                f"float_prefix={self.float_prefix}."
            )
        found: dict[int, conversion.Precision] = dict.fromkeys(
            range(self.float_prefix), "float32"
        )
        in_float: dict[str, conversion.Precision] = dict.fromkeys(
            self.float_layers, "float32"
        )
        for field, wanted in (
            ("float_layers", in_float),
            ("precisions", self.precisions),
        ):
            positions = operation_patterns.positions(
                context.float_model, context.float_facts, list(wanted), field
            )
            for pattern, precision in wanted.items():
                for position in positions[pattern]:
                    found[position] = _possible(
                        operators[position], precision, pattern
                    )
        return found

    def verify(self, model: facts.ModelFacts) -> None:
        """Checks that there is int8, and what else was asked for."""
        self.require(
            model.quantized_weight_fraction > 0,
            "quantize weights",
            "0% of the weights quantized",
        )
        dtypes = {(t.subgraph, t.index): t.dtype for t in model.tensors}
        written = {
            dtypes[0, operator.outputs[0]]
            for operator in _main_operators(model)
            if operator.name not in ("QUANTIZE", "DEQUANTIZE")
        }
        stored = {t.dtype for t in model.weights}
        asked = set(self.precisions.values())
        if self.float_prefix or self.float_layers or self.dynamic_last_layer:
            asked.add("float32")
        for precision, has_it, received in (
            ("int4", "int4" in stored, "no int4 weights"),
            ("int16", "int16" in written, "no int16 activations"),
            ("float16", "float16" in stored, "no float16 weights"),
        ):
            self.require(
                precision not in asked or has_it,
                f"have operations in {precision}",
                received,
            )
        self.require(
            not asked & set(_IN_FLOAT) or bool(written & facts.FLOAT_DTYPES),
            "leave operations in float",
            "all quantized",
        )
        for promised, specs, role in (
            (self.inference_input_type, model.inputs, "inputs"),
            (self.inference_output_type, model.outputs, "outputs"),
        ):
            found = {x.dtype for x in specs} - {"int32", "int64", "bool"}
            self.require(
                found <= {promised},
                f"have {promised} {role}",
                f"{role} of {', '.join(sorted(found))}",
            )


def _main_operators(
    model: facts.ModelFacts,
) -> tuple[facts.OperatorFacts, ...]:
    return tuple(x for x in model.operators if not x.subgraph)


def _last_layer(operators: Sequence[facts.OperatorFacts]) -> int:
    position = max((p for p, x in enumerate(operators) if x.weights), default=0)
    if not operators or operators[position].name not in _DYNAMIC_OPERATIONS:
        raise errors.InputError(
            "A dynamic last layer must be one of "
            f"{', '.join(sorted(_DYNAMIC_OPERATIONS))}. Received: "
            f"{operators[position].name if operators else 'no operation'}."
        )
    return position


def _possible(
    operator: facts.OperatorFacts,
    precision: conversion.Precision,
    pattern: str,
) -> conversion.Precision:
    """Returns a precision that an operation can have."""
    if (
        precision in _NEED_KERNELS
        and operator.weights
        and operator.name not in _DYNAMIC_OPERATIONS
    ):
        raise errors.InputError(
            f"In {precision} there are "
            f"{' and '.join(sorted(_DYNAMIC_OPERATIONS))} only. Received: "
            f"{pattern!r}, which means {operator.name}."
        )
    # What has no weights follows its neighbours.
    without = precision in _NEED_KERNELS and not operator.weights
    return "int8" if without else precision


def _rule(
    operator: facts.OperatorFacts,
    precision: conversion.Precision,
    names: dict[int, str],
) -> conversion.QuantizerRule:
    plain = conversion.QuantizerRule(
        operation="*", mode="none", regex=_scope(operator, names)
    )
    match precision:
        case "int4":
            return dataclasses.replace(
                plain,
                operation=operator.name,
                mode="static",
                weight_bits=4,
                algorithm="octav",
            )
        case "int16":
            return dataclasses.replace(
                plain,
                mode="static",
                activation_bits=16,
                symmetric_activations=True,
            )
        case "dynamic":
            return dataclasses.replace(
                plain, operation=operator.name, mode="dynamic"
            )
        case "float16" if operator.weights:
            return dataclasses.replace(
                plain, operation=operator.name, mode="float16"
            )
    return plain


def _scope(operator: facts.OperatorFacts, names: dict[int, str]) -> str:
    """Returns what matches this operation only, in LiteRT Quantizer."""
    # Which ends each name of an output with a semicolon.
    outputs = "".join(f"{names[i]};" for i in operator.outputs)
    return f"^{re.escape(outputs)}$"


def _require_effect(
    chosen: set[int],
    operators: Sequence[facts.OperatorFacts],
    model: facts.ModelFacts,
) -> None:
    """Checks that each operation in float keeps something from rounding."""
    tensors = {t.index: t for t in model.tensors if not t.subgraph}
    read = {i for p in chosen for i in operators[p].inputs}
    written = {i for p in chosen for i in operators[p].outputs}
    for position in sorted(chosen):
        operator = operators[position]
        has_constants = any(
            tensors[i].constant_bytes and tensors[i].dtype in facts.FLOAT_DTYPES
            for i in operator.inputs
            if i != -1
        )
        has_neighbours = written.intersection(operator.inputs) or (
            read.intersection(operator.outputs)
        )
        if not has_constants and not has_neighbours:
            raise errors.InputError(
                "An operation in float must have weights or constants, or one "
                "in float before or behind it, or it changes nothing. "
                f"Received: {tensors[operator.outputs[0]].name!r}, which is "
                f"{operator.name}. Choose its neighbours too."
            )
