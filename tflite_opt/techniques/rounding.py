# SPDX-License-Identifier: Apache-2.0
"""Rounding: integers that keep a layer's outputs, not its weights."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tflite_opt.post_training import reconstruction
from tflite_opt.post_training import rounding as rounding_lib
from tflite_opt.records import compression, errors
from tflite_opt.techniques import fitted_refinement


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rounding(fitted_refinement.FittedRefinement):
    """Rounds weights anew, layer after layer, and corrects the biases.

    Weights are chosen that keep the outputs of each layer for the inputs that
    the quantized layers before really give. They are written into the
    quantized file as they are: a quantizer would not give them back. Scales
    stay, and so do size and speed.

    Attributes:
        ridge: How much the weights are held to those of the float model, in
            units of the inputs' mean variance; more than 0. With 10, scores
            of int4 models are 0.7 to 2.7 dB noisier than with 1; at 0.1 and
            less weights are fitted to a hundred examples too well.

    References:
        Frantar et al., "GPTQ: Accurate Post-Training Quantization for
        Generative Pre-trained Transformers", 2023.
        https://arxiv.org/abs/2210.17323
    """

    technique: ClassVar[str] = "rounding"
    # A zero, or a centroid, may become one of its neighbours.
    breaks: ClassVar[frozenset[compression.Property]] = frozenset(
        {"sparsity", "clusters", "fake_quantization"}
    )
    ridge: float = 1.0

    def __post_init__(self) -> None:
        """Checks the ridge.

        Raises:
            InputError: If it is not positive.
        """
        super().__post_init__()
        if self.ridge <= 0:
            raise errors.InputError(
                "`ridge` must be above 0, or weights follow every error. "
                f"Received: ridge={self.ridge}."
            )

    def fit(
        self,
        parent: pathlib.Path,
        model: pathlib.Path,
        destination: pathlib.Path,
        fitting: Mapping[str, np.ndarray],
    ) -> str:
        """Writes the copy with other weights and biases."""
        done = reconstruction.reconstruct(
            parent, model, destination, fitting, self.solve
        )
        return (
            f"Weights rounded anew in {done.weights} of {done.num_layers} "
            "layers with quantized weights."
        )

    def solve(self, problem: reconstruction.Problem) -> np.ndarray:
        """Chooses the weights of one layer, for `reconstruct`."""
        moments, cross_moments = problem.covariances
        wanted = rounding_lib.target(
            problem.weights, moments, cross_moments, self.ridge
        )
        return rounding_lib.round_to_levels(
            wanted / problem.scale, moments, problem.limit
        )
