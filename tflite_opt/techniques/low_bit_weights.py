# SPDX-License-Identifier: Apache-2.0
"""Ternary and binary weights: an experiment, with what it really saves."""

import dataclasses
import math
from typing import Any, ClassVar

from tflite_opt.keras_models import fine_tuning, kernels
from tflite_opt.keras_models.low_bit import signs, targets
from tflite_opt.records import compression, low_bit
from tflite_opt.techniques import base

_SCALE_BYTES = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class LowBitWeights(base.CompressionTechnique):
    """Leaves each channel of a kernel a scale and its weights' signs.

    An experiment. No kernel of TFLite is made for such weights: a file stores
    them in 8 bits, or in 4 with int4, as large and as fast as all others, and
    only gzip finds that they are few. LiteRT's 2 bits would hold ternary ones
    exactly, but its runtime 2.3.0 gives NaN for convolutions in that format,
    so it is not offered. What they would take at best is in the notes. The
    first and the last kernel and depthwise ones keep all their values, unless
    they are named in `layers`.

    Later quantization-aware training can preserve them (`clusters`): each
    channel's values may then move, but stay as few.

    Attributes:
        values: `ternary` (-s, 0, s) or `binary` (-s, s) in each channel.
        layers: From layer names or regular expressions, matched with the whole
            path, to values of their own; `float` leaves a layer alone.

    References:
        Li and Liu, "Ternary Weight Networks", 2016.
        https://arxiv.org/abs/1605.04711
        Rastegari et al., "XNOR-Net: ImageNet Classification Using Binary
        Convolutional Neural Networks", 2016.
        https://arxiv.org/abs/1603.05279
    """

    technique: ClassVar[str] = "low_bit_weights"
    gives: ClassVar[compression.Property | None] = "clusters"

    values: low_bit.Values = "ternary"
    layers: dict[str, low_bit.LayerValues] | None = None

    def __post_init__(self) -> None:
        """Checks the regular expressions.

        Raises:
            InputError: If one is none, or a value is unknown.
        """
        super().__post_init__()
        kernels.check_patterns(self.layers or {})

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        """Takes the values away and trains with what is left."""
        options = self.training_options(context.options)
        chosen, left = targets.choose(model, self.values, self.layers or {})
        hold = signs.hold(chosen)
        history = context.fit(model, options, callbacks=[hold])
        return fine_tuning.Compressed(
            model=model,
            promises=tuple(
                compression.Promise(
                    layer=target.kernel.layer,
                    weight=target.kernel.weight,
                    max_unique_values=low_bit.NUM_VALUES[target.values],
                    per_channel=True,
                )
                for target in chosen
            ),
            histories=(history,),
            notes=(_summary(model, chosen), *left),
        )


def _summary(model: Any, chosen: tuple[signs.Target, ...]) -> str:
    weights = sum(target.kernel.num_elements for target in chosen)
    most = max(low_bit.NUM_VALUES[target.values] for target in chosen)
    return (
        f"{len(chosen)} kernels with {weights / model.count_params():.1%} of "
        f"all parameters have at most {most} values in each channel. They "
        f"take {weights:,} bytes as int8, half of that as int4, and at best "
        f"{least_bytes(chosen):,}: a format for that is missing."
    )


def least_bytes(chosen: tuple[signs.Target, ...]) -> int:
    """Returns what kernels take if each value is as likely as the others.

    That is log2(3) bits for each ternary weight, 1 for each binary one, and a
    float32 scale for each channel.
    """
    total = 0.0
    for target in chosen:
        kernel = target.kernel
        bits = math.log2(low_bit.NUM_VALUES[target.values])
        channels = kernel.variable.shape[kernel.output_axis]
        total += kernel.num_elements * bits / 8 + _SCALE_BYTES * channels
    return math.ceil(total)
