# SPDX-License-Identifier: Apache-2.0
"""Bias correction: the mean of each channel as it was in float."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tflite_opt.post_training import reconstruction
from tflite_opt.techniques import fitted_refinement


@dataclasses.dataclass(frozen=True, kw_only=True)
class BiasCorrection(fitted_refinement.FittedRefinement):
    """Makes good in the biases for what rounding did to means.

    Rounded weights shift the mean of a layer's channels, and most of what a
    MobileNet loses in int8 is that. The shift is measured with the inputs
    that the quantized layers before really give, layer after layer, and taken
    off the int32 biases. The file keeps its size and its speed.

    References:
        Nagel et al., "Data-Free Quantization Through Weight Equalization and
        Bias Correction", 2019, section 4.2 (empirical form).
        https://arxiv.org/abs/1906.04721
    """

    technique: ClassVar[str] = "bias_correction"

    def fit(
        self,
        parent: pathlib.Path,
        model: pathlib.Path,
        destination: pathlib.Path,
        fitting: Mapping[str, np.ndarray],
    ) -> str:
        """Writes the copy with corrected biases."""
        done = reconstruction.reconstruct(parent, model, destination, fitting)
        return (
            f"Biases corrected in {done.biases} of {done.num_layers} layers "
            "with quantized weights."
        )
