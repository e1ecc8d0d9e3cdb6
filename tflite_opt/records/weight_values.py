# SPDX-License-Identifier: Apache-2.0
"""What the values of one stored weight are like."""

import dataclasses

from tflite_opt.records import serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spread(serialization.Record):
    """How a number differs from channel to channel."""

    minimum: float
    median: float
    maximum: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightValues(serialization.Record):
    """Zeros and distinct values of one weight, as stored.

    A quantized value is zero when it equals the zero point. Elements that a
    sparse tensor leaves out are zeros, too.

    Attributes:
        zeros: Number of elements that are zero.
        unique_values: Number of distinct values, zero included.
        channel_axis: The dimension of the channels.
        num_channels: Size of that dimension.
        zero_channels: Number of channels without any other value than zero.
        channel_zero_fraction: Fraction of zeros in a channel, in [0, 1].
        channel_unique_values: Distinct values in a channel.
    """

    zeros: int
    unique_values: int
    channel_axis: int
    num_channels: int
    zero_channels: int
    channel_zero_fraction: Spread
    channel_unique_values: Spread
