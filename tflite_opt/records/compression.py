# SPDX-License-Identifier: Apache-2.0
"""What training-time techniques promise, and what became of it."""

import dataclasses
import math
from typing import Any, Literal

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import errors, facts, serialization, training

Property = Literal["sparsity", "clusters", "fake_quantization"]

# Rounding of a fraction that was counted in whole weights.
_TOLERANCE = 1e-9
# Of the fraction of MACs or parameters that is left.
_SHRINKAGE_TOLERANCE = 0.02


@dataclasses.dataclass(frozen=True, kw_only=True)
class Promise(serialization.Record):
    """What one weight of one layer must be, in Keras and in the `.tflite`.

    It is checked after every later step and on the file itself.

    Attributes:
        layer: Path of the Keras layer, `outer/inner` in a nested model.
        weight: Keras' name of the weight, such as `kernel`.
        min_zero_fraction: Least fraction of zeros, in [0, 1].
        max_unique_values: Most distinct values, zero included.
        per_channel: Whether that is for each output channel instead of for
            the whole weight.
        zeros_of_block: `(n, m)`: at least n zeros in each m consecutive input
            weights of an output channel, in TFLite's order.
        is_int8: Whether the `.tflite` must store it in 8 bits.
    """

    layer: str
    weight: str
    min_zero_fraction: float | None = None
    max_unique_values: int | None = None
    per_channel: bool = False
    zeros_of_block: tuple[int, ...] | None = None
    is_int8: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeptPromise(serialization.Record):
    """A promise beside what was measured.

    Attributes:
        promise: The promise.
        where: What was measured.
        dtype: Of the stored weight.
        num_elements: Of it.
        zero_fraction: Fraction of zeros.
        unique_values: Distinct values, zero included.
        channel_unique_values: The most of them in any output channel.
        unfit_blocks: Blocks with too few zeros; None where none were promised.
    """

    promise: Promise
    where: Literal["keras", "tflite"]
    dtype: str
    num_elements: int
    zero_fraction: float
    unique_values: int
    channel_unique_values: int
    unfit_blocks: int | None = None

    @property
    def counted_values(self) -> int:
        """The distinct values that the promise is about.

        Folding batch normalization and quantizing per channel give each
        channel a factor of its own, so in a `.tflite` no promise is about the
        whole weight; one for the whole weight holds for each channel.
        """
        is_file = self.where == "tflite"
        if is_file or self.promise.per_channel:
            return self.channel_unique_values
        return self.unique_values

    @property
    def information_bytes(self) -> float:
        """What the weight takes if its few values take as few bits.

        That is log2(n) bits for each element, n being the most values of a
        channel; what the values are is not counted.
        """
        bits = math.log2(max(1, self.channel_unique_values))
        return self.num_elements * bits / 8

    def require(self) -> None:
        """Checks the promise.

        Raises:
            VerificationError: If it is broken.
        """
        promise = self.promise
        at_least, at_most = promise.min_zero_fraction, promise.max_unique_values
        wanted = found = ""
        if at_least is not None and self.zero_fraction < at_least - _TOLERANCE:
            wanted = f"have at least {at_least:.2%} zeros"
            found = f"{self.zero_fraction:.2%}"
        elif at_most is not None and self.counted_values > at_most:
            wanted = f"have at most {at_most} distinct values"
            found = f"{self.counted_values}"
        elif self.unfit_blocks:
            n, m = promise.zeros_of_block or (0, 0)
            wanted = f"have {n} zeros in each {m} weights"
            found = f"{self.unfit_blocks} blocks with fewer"
        elif (
            self.where == "tflite"
            and promise.is_int8
            and self.dtype not in facts.INTEGER_WEIGHT_DTYPES
        ):
            wanted, found = "be stored in 8 bits", self.dtype
        if wanted:
            kind = "Keras model" if self.where == "keras" else ".tflite"
            raise errors.VerificationError(
                f"`{promise.weight}` of {promise.layer!r} must {wanted} in the "
                f"{kind}. Received: {found}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shrinkage(serialization.Record):
    """What a model has lost of its layers.

    Attributes:
        macs_before: Multiply-accumulates of the user's own Keras model.
        macs: Those that are left.
        parameters_before: Parameters of the user's own Keras model.
        parameters: Those that are left.
    """

    macs_before: int
    macs: int
    parameters_before: int
    parameters: int

    def describe(self) -> str:
        """Returns one sentence."""
        return (
            f"Of {self.macs_before:,} MACs {self.macs:,} are left "
            f"({self.macs / self.macs_before:.1%}), of "
            f"{self.parameters_before:,} parameters {self.parameters:,} "
            f"({self.parameters / self.parameters_before:.1%})."
        )

    def require_in(
        self, before: facts.ModelFacts, after: facts.ModelFacts
    ) -> None:
        """Checks that a `.tflite` has lost as much.

        Folding batch normalization and what Keras does not count move the
        fractions a little.

        Args:
            before: Facts of the float `.tflite` of the user's own model.
            after: Facts of the file.

        Raises:
            VerificationError: If it has lost less.
        """
        for name, kept, counted in (
            (
                "MACs",
                self.macs / self.macs_before,
                after.known_macs / max(before.known_macs, 1),
            ),
            (
                "parameters",
                self.parameters / self.parameters_before,
                after.parameters / max(before.parameters, 1),
            ),
        ):
            if counted > kept + _SHRINKAGE_TOLERANCE:
                raise errors.VerificationError(
                    f"The .tflite must have {kept:.1%} of the {name} that the "
                    "uncompressed model's has, as in Keras. "
                    f"Received: {counted:.1%}."
                )


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompressionStep(serialization.Record):
    """One technique's part in a compressed model.

    Attributes:
        technique: In the form of a recipe.
        gives: The property that it gives; None for none.
        promises: What it promises.
        kept: All promises so far, measured on its result.
        histories: Its trainings, in order.
        notes: One sentence each, for the report.
        seconds: Wall time, loading and saving included.
        shrinkage: What it took of the layers, counted on its result; None if
            they have the sizes they had.
        energy_kwh: Energy meanwhile, by codecarbon; None without it.
    """

    technique: dict[str, Any]
    gives: Property | None
    promises: tuple[Promise, ...]
    kept: tuple[KeptPromise, ...]
    histories: tuple[training.TrainingHistory, ...]
    notes: tuple[str, ...]
    seconds: float
    shrinkage: Shrinkage | None = None
    energy_kwh: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompressedModel(serialization.Record):
    """A Keras model after one or more techniques.

    Attributes:
        artifact: The `.h5`.
        steps: In order.
        output_names: Of the user's model; wrapped layers are called otherwise.
        layers: Paths of all its layers.
    """

    artifact: artifact_record.Artifact
    steps: tuple[CompressionStep, ...]
    output_names: tuple[str, ...]
    layers: tuple[str, ...]

    @property
    def promises(self) -> tuple[Promise, ...]:
        """All promises, as they read for this model."""
        return tuple(kept.promise for kept in self.steps[-1].kept)

    @property
    def is_quantization_aware(self) -> bool:
        """Whether ranges of activations are part of the model."""
        return any(step.gives == "fake_quantization" for step in self.steps)

    @property
    def shrinkage(self) -> Shrinkage | None:
        """What its layers have lost; None if nothing."""
        found = [step.shrinkage for step in self.steps if step.shrinkage]
        return found[-1] if found else None
