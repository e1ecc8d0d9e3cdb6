# SPDX-License-Identifier: Apache-2.0
"""Mixed precision: int8, but for the operations that lose most by it.

Which ones is fixed by hand here. Helps beside bias correction: without it, the
shift of means that the other layers cause hides the gain.
"""

import dataclasses
import re
from collections.abc import Sequence
from typing import ClassVar

from tflite_opt.records import conversion, errors, facts
from tflite_opt.techniques import base
from tflite_opt.tflite import layer_names

_INTERFACE = ("float32", "int8")
# XNNPACK computes these with int8 weights and float activations.
_DYNAMIC_OPERATIONS = frozenset({"CONV_2D", "FULLY_CONNECTED"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixedPrecision(base.ConversionTechnique):
    """Quantizes weights and activations to int8, with exceptions.

    A tensor stays float only if what writes it and all that reads it do, so
    the operations in float must follow one another: single ones change next
    to nothing. Early layers have few weights, so that leaving the first 4 of a
    MobileNetV1 0.25 in float cost 0.1 % of size and 5 % of latency.

    A pattern is the name of a Keras layer, the name of an operation's output
    tensor, or a regular expression that is searched for in the latter.

    Attributes:
        float_prefix: How many operations stay in float, from the first.
        float_layers: Patterns of other operations that do.
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
        chosen = self.float_prefix or self.float_layers
        if self.float_prefix < 0 or not (chosen or self.dynamic_last_layer):
            raise errors.InputError(
                "Mixed precision needs a positive `float_prefix`, "
                "`float_layers` or `dynamic_last_layer`. Received: "
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
        for pattern in self.float_layers:
            _compiled(pattern)

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
            InputError: If a pattern matches nothing, or the operations in
                float do not follow one another.
        """
        operators = _main_operators(context.float_facts)
        names = {
            t.index: t.name
            for t in context.float_facts.tensors
            if not t.subgraph
        }
        in_float = self._chosen(context, operators, names)
        rules = [conversion.QuantizerRule(operation="*", mode="static")]
        rules += [
            conversion.QuantizerRule(operation=operation, mode="none")
            for operation, dtype in (
                ("INPUT", self.inference_input_type),
                ("OUTPUT", self.inference_output_type),
            )
            if dtype == "float32"
        ]
        if self.dynamic_last_layer:
            last = _last_layer(operators)
            in_float |= set(range(last + 1, len(operators)))
            rules.append(
                conversion.QuantizerRule(
                    operation=operators[last].name,
                    mode="dynamic",
                    regex=_scope(operators[last], names),
                )
            )
        rules += [
            conversion.QuantizerRule(
                operation="*",
                mode="none",
                regex=_scope(operators[position], names),
            )
            for position in sorted(in_float)
        ]
        return conversion.Converted(
            content=context.litert_quantizer(rules), backend="litert_quantizer"
        )

    def _chosen(
        self,
        context: conversion.ConversionContext,
        operators: Sequence[facts.OperatorFacts],
        names: dict[int, str],
    ) -> set[int]:
        """Returns the positions of the operations that stay float."""
        if self.float_prefix >= len(operators):
            raise errors.InputError(
                "`float_prefix` must leave operations to quantize: the model "
                f"has {len(operators)}. Received: "
                f"float_prefix={self.float_prefix}."
            )
        found = set(range(self.float_prefix))
        layers = layer_names.layers_of_operations(
            context.float_model, context.float_facts, self.float_layers
        )
        for pattern in self.float_layers:
            outputs = [names[x.outputs[0]] for x in operators]
            matches = (
                {
                    p
                    for p, x in enumerate(operators)
                    if pattern in layers[0, x.index]
                }
                or {p for p, name in enumerate(outputs) if name == pattern}
                or {
                    p
                    for p, name in enumerate(outputs)
                    if _compiled(pattern).search(name)
                }
            )
            if not matches:
                raise errors.InputError(
                    "Each pattern of `float_layers` must match an operation. "
                    f"Received: {pattern!r}. Outputs of operations: "
                    f"{', '.join(outputs)}."
                )
            found |= matches
        _require_contiguous(found, operators, names)
        return found

    def verify(self, model: facts.ModelFacts) -> None:
        """Checks that there is int8, and float where it was asked for."""
        self.require(
            model.quantized_weight_fraction > 0,
            "quantize weights",
            "0% of the weights quantized",
        )
        dtypes = {(t.subgraph, t.index): t.dtype for t in model.tensors}
        in_float = [
            operator
            for operator in _main_operators(model)
            if operator.name not in ("QUANTIZE", "DEQUANTIZE")
            and dtypes[0, operator.outputs[0]] in facts.FLOAT_DTYPES
        ]
        self.require(
            bool(in_float), "leave operations in float", "all quantized"
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


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise errors.InputError(
            "A pattern must be a name or a regular expression. "
            f"Received: {pattern!r}: {error}."
        ) from error


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


def _scope(operator: facts.OperatorFacts, names: dict[int, str]) -> str:
    """Returns what matches this operation only, in LiteRT Quantizer."""
    # Which ends each name of an output with a semicolon.
    outputs = "".join(f"{names[i]};" for i in operator.outputs)
    return f"^{re.escape(outputs)}$"


def _require_contiguous(
    chosen: set[int],
    operators: Sequence[facts.OperatorFacts],
    names: dict[int, str],
) -> None:
    if not chosen:
        return
    gaps = set(range(min(chosen), max(chosen))) - chosen
    if gaps:
        between = ", ".join(
            repr(names[operators[p].outputs[0]]) for p in sorted(gaps)
        )
        raise errors.InputError(
            "Operations in float must follow one another, or the tensors "
            f"between them stay int8. Received: {between} in between. Choose "
            "them too."
        )
