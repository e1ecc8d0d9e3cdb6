# SPDX-License-Identifier: Apache-2.0
"""Quantization-aware training: fine-tuning with the rounding of int8.

Says which errors int8 makes while there is still something to be done about
them; the file is as large and as fast as that of int8 without training.
"""

import dataclasses
from typing import Any, ClassVar

from tflite_opt.keras_models import fine_tuning
from tflite_opt.keras_models.quantization import aware
from tflite_opt.records import compression
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuantizationAwareTraining(base.CompressionTechnique):
    """Trains with weights and activations rounded to 8 bits.

    The model is rewritten first, so that each rounding stands where TFLite's
    integer kernels round: batch normalization becomes part of the weights,
    models inside the model are opened, operators become layers. Ranges of
    activations start from real examples, so training starts about where int8
    without training ends, and follow the training data from there.

    References:
        Jacob et al., "Quantization and Training of Neural Networks for
        Efficient Integer-Arithmetic-Only Inference", 2018.
        https://arxiv.org/abs/1712.05877
    """

    technique: ClassVar[str] = "quantization_aware_training"
    gives: ClassVar[compression.Property | None] = "fake_quantization"
    preserves: ClassVar[frozenset[compression.Property]] = frozenset(
        {"sparsity", "clusters"}
    )

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        """Rewrites, sets ranges, trains; see the base class."""
        made = aware.make(
            model,
            context.calibration.inputs,
            context.promises,
            self.preserve,
        )
        history = context.fit(
            made.model,
            self.training_options(context.options),
            callbacks=made.callbacks,
        )
        return fine_tuning.Compressed(
            model=made.model,
            promises=made.promises,
            histories=(history,),
            notes=made.notes,
            carried=made.carried,
        )
