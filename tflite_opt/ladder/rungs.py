# SPDX-License-Identifier: Apache-2.0
"""The rungs: what each adds to a recipe, the cheapest first.

A rung is a whole recipe that starts from the float model, never a patch of a
file: the steps of the rungs that were taken, and its own.
"""

import dataclasses
from collections.abc import Callable, Iterator

from tflite_opt import recipe as recipe_lib
from tflite_opt.post_training import float_choice
from tflite_opt.records import sensitivity
from tflite_opt.techniques import (
    base,
    bias_correction,
    equalization,
    full_integer,
    mixed_precision,
    quantization_aware_training,
    rounding,
)
from tflite_opt.tflite import operation_patterns

# Parts of the loss that the operations left in float must have caused. Behind a
# place that costs nearly everything others may hide.
_SHARES = (0.5, 0.9, 0.99, 0.999)
_PREFIX_SHARES = (0.25, 0.5, 0.75, 0.9, 0.97, 0.99)
# More of them would be a float model with an int8 end.
_MAX_PREFIX_FRACTION = 0.75


@dataclasses.dataclass(frozen=True, kw_only=True)
class Steps:
    """What the rungs so far do.

    Inputs and outputs are float32 on every rung, so that an app need not know
    where the ladder ended.

    Attributes:
        compress: Of the Keras model.
        prepare: Of the float `.tflite`.
        refine: Of the int8 one.
        float_operations: Output tensors of operations in float, wherever they
            are.
        int4_operations: Output tensors of operations with weights in int4.
        float_prefix: Operations in float, from the first.
        dynamic_last_layer: Whether the last layer has float outputs.
    """

    compress: tuple[base.CompressionTechnique, ...] = ()
    prepare: tuple[base.PreparationTechnique, ...] = ()
    refine: tuple[base.RefinementTechnique, ...] = ()
    float_operations: tuple[str, ...] = ()
    int4_operations: tuple[str, ...] = ()
    float_prefix: int = 0
    dynamic_last_layer: bool = False

    def recipe(self, name: str, *, slim: bool) -> recipe_lib.Recipe:
        """Returns them as a recipe."""
        convert: base.ConversionTechnique
        if (
            self.float_operations
            or self.int4_operations
            or self.float_prefix
            or self.dynamic_last_layer
        ):
            convert = mixed_precision.MixedPrecision(
                float_prefix=self.float_prefix,
                float_layers=tuple(
                    map(operation_patterns.exact, self.float_operations)
                ),
                precisions={
                    operation_patterns.exact(output): "int4"
                    for output in self.int4_operations
                },
                dynamic_last_layer=self.dynamic_last_layer,
            )
        else:
            convert = full_integer.FullInteger(
                inference_input_type="float32",
                inference_output_type="float32",
            )
        found = recipe_lib.Recipe(
            name=name,
            compress=self.compress,
            prepare=self.prepare,
            convert=convert,
            refine=self.refine,
        )
        return recipe_lib.slimmed(found) if slim else found


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """One rung before it was tried.

    Attributes:
        name: What tables call it.
        add: Returns the steps with its own.
        trains: Whether it changes the float model, so that only labels can
            judge it.
    """

    name: str
    add: Callable[[Steps], Steps]
    trains: bool = False


def without_training() -> tuple[Candidate, ...]:
    """Returns the rungs that are the same for every model."""

    def refined(
        technique: base.RefinementTechnique,
    ) -> Callable[[Steps], Steps]:
        return lambda steps: dataclasses.replace(
            steps, refine=(*steps.refine, technique)
        )

    return (
        Candidate(name="int8", add=lambda steps: steps),
        Candidate(
            name="bias_correction",
            add=refined(bias_correction.BiasCorrection()),
        ),
        Candidate(
            name="equalization",
            add=lambda steps: dataclasses.replace(
                steps, prepare=(equalization.Equalization(),)
            ),
        ),
        Candidate(
            name="dynamic_last_layer",
            add=lambda steps: dataclasses.replace(
                steps, dynamic_last_layer=True
            ),
        ),
        Candidate(name="rounding", add=refined(rounding.Rounding())),
    )


def in_float(found: sensitivity.Sensitivity) -> Iterator[Candidate]:
    """Yields rungs that leave operations in float, the fewest first.

    Args:
        found: Scan of the float model.

    Yields:
        Single operations wherever they are, then ever more of the first ones.
    """
    yield from operations(found)
    yield from prefixes(found)


def operations(found: sensitivity.Sensitivity) -> Iterator[Candidate]:
    """Yields rungs that leave the operations in float that cost most.

    Args:
        found: Scan of the float model.

    Yields:
        The fewest that save a half, nine tenths, 99 % and 99.9 % of what
        integers cost, where half of the operations are enough for that.
    """
    before: tuple[str, ...] = ()
    for share in _SHARES:
        chosen = float_choice.fewest(found, share)
        if chosen is None:
            return
        outputs = tuple(x.output for x in chosen)
        if outputs != before:
            yield Candidate(
                name=f"float_operations_{len(outputs)}",
                add=_with_operations(outputs),
            )
        before = outputs


def _with_operations(outputs: tuple[str, ...]) -> Callable[[Steps], Steps]:
    return lambda steps: dataclasses.replace(steps, float_operations=outputs)


def prefixes(found: sensitivity.Sensitivity) -> Iterator[Candidate]:
    """Yields rungs that leave the first operations in float.

    Args:
        found: Scan of the float model.

    Yields:
        The shortest ones that save a quarter, a half, three quarters, 90, 97
        and 99 % of what integers cost; of at most three quarters of the
        operations.
    """
    count = len(found.operations)
    total = found.prefix_cost(count)
    lengths = {
        next(
            k
            for k in range(1, count + 1)
            if found.prefix_cost(k) >= share * total
        )
        for share in _PREFIX_SHARES
    }
    for length in sorted(lengths):
        if length <= _MAX_PREFIX_FRACTION * count:
            yield Candidate(
                name=f"float_prefix_{length}", add=_with_prefix(length)
            )


def _with_prefix(length: int) -> Callable[[Steps], Steps]:
    return lambda steps: dataclasses.replace(steps, float_prefix=length)


def training() -> Candidate:
    """Returns the last rung: quantization-aware training."""
    technique = quantization_aware_training.QuantizationAwareTraining()
    return Candidate(
        name="quantization_aware_training",
        add=lambda steps: Steps(compress=(technique,)),
        trains=True,
    )
