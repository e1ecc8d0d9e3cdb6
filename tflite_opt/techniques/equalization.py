# SPDX-License-Identifier: Apache-2.0
"""Equalization: channels of one range before a depthwise convolution."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tflite_opt.post_training import equalization as equalization_lib
from tflite_opt.records import compression
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class Equalization(base.PreparationTechnique):
    """Scales small channels up and the next depthwise weights down.

    Factors of normalization that is no part of a layer move into the next
    one. The float model computes the same as before, also with ReLU6. Its int8
    form has more levels for channels that were small. Size and speed do not
    change. Gains little on its own; it is for use with `bias_correction`.

    References:
        Nagel et al., "Data-Free Quantization Through Weight Equalization and
        Bias Correction", 2019. https://arxiv.org/abs/1906.04721
    """

    technique: ClassVar[str] = "equalization"
    needs_integers: ClassVar[bool] = True
    # Each input channel of a layer gets a factor of its own.
    breaks: ClassVar[frozenset[compression.Property]] = frozenset(
        {"clusters", "fake_quantization"}
    )

    def prepare(
        self,
        model: pathlib.Path,
        destination: pathlib.Path,
        representative: Mapping[str, np.ndarray],
    ) -> tuple[str, ...]:
        """Writes the equalized float model."""
        done = equalization_lib.equalize(model, destination, representative)
        notes: tuple[str, ...] = (
            f"Equalized {done.channels} channels of {done.tensors} tensors "
            f"before depthwise convolutions, by at most "
            f"{done.largest_factor:.1f}.",
        )
        if done.evened:
            notes += (
                "Moved factors of channels into the layers that read them, in "
                f"{done.evened} constants.",
            )
        return notes
