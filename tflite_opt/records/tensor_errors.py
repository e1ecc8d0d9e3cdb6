# SPDX-License-Identifier: Apache-2.0
"""What quantization did to each tensor of a model."""

import dataclasses

from tflite_opt.records import serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorError(serialization.Record):
    """One tensor of the float model, and what the quantized one gives for it.

    What cannot be said is None: the cosine of zeros, a ratio without signal or
    without noise, levels of a tensor that is not quantized.

    Attributes:
        name: Of the tensor in the float model.
        layers: Keras layers of the operation; empty if no name tells.
        operation: TFLite's name of what writes it; `INPUT` for an input.
        position: Of that operation in the float model; -1 for an input.
        dtype: In the quantized model.
        snr_db: Power of the float values over that of the difference, in
            decibels, with everything before quantized too.
        own_snr_db: The same if the operation gets the float model's values,
            quantized as its inputs are: what it loses by itself.
        cosine: Of the angle between the float values and the quantized ones.
        shift_fraction: Share of the power of the difference that is a shift
            of a channel's mean, which bias correction takes away.
        clipped_fraction: Share of the float values that lie beyond the lowest
            or highest level by more than half a step.
        unused_range_fraction: Share of the levels outside the lowest and the
            highest that occur.
        channel_spread: Largest magnitude of a channel over the median one's,
            which equalization can lower before a depthwise convolution; None
            without several channels.
    """

    name: str
    layers: tuple[str, ...]
    operation: str
    position: int
    dtype: str
    snr_db: float | None
    own_snr_db: float | None
    cosine: float | None
    shift_fraction: float | None
    clipped_fraction: float | None
    unused_range_fraction: float | None
    channel_spread: float | None

    @property
    def label(self) -> str:
        """The Keras layers, or the tensor's name where none is known."""
        return ", ".join(self.layers) or self.name


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorErrors(serialization.Record):
    """All tensors of one quantized model that can be compared.

    Attributes:
        parent_sha256: Of the float `.tflite`.
        sha256: Of the quantized one.
        num_examples: Calibration examples that both have seen.
        divergence: Of the outputs: mean Kullback-Leibler divergence in nats
            for probabilities, else the mean squared error as a fraction of
            the variance.
        agreement: Fraction of equal predictions; None if nothing is predicted.
        tied_fraction: Share of examples whose two most likely classes have the
            same quantized value; None likewise.
        tensors: In execution order.
    """

    parent_sha256: str
    sha256: str
    num_examples: int
    divergence: float
    agreement: float | None
    tied_fraction: float | None
    tensors: tuple[TensorError, ...]

    @property
    def worst_first(self) -> tuple[TensorError, ...]:
        """The tensors by signal-to-noise ratio; exact ones last."""
        return tuple(
            sorted(
                self.tensors,
                key=lambda x: float("inf") if x.snr_db is None else x.snr_db,
            )
        )

    def first_below(self, snr_db: float) -> TensorError | None:
        """Returns the first tensor that is noisier than a limit, if any."""
        return next(
            (
                x
                for x in self.tensors
                if x.snr_db is not None and x.snr_db < snr_db
            ),
            None,
        )
