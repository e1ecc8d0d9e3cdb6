# SPDX-License-Identifier: Apache-2.0
"""Fine-tuning: the model as it is, trained on."""

import dataclasses
from typing import Any, ClassVar

from tflite_opt.keras_models import fine_tuning
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class FineTuning(base.CompressionTechnique):
    """Trains the model on, and changes nothing else.

    Size and latency stay the same. It is the control of every technique that
    trains: what the same epochs do without the technique.
    """

    technique: ClassVar[str] = "fine_tuning"

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        """Trains."""
        options = self.training_options(context.options)
        history = context.fit(model, options)
        return fine_tuning.Compressed(model=model, histories=(history,))
