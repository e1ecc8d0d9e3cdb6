# SPDX-License-Identifier: Apache-2.0
"""What magnitude pruning accepts: `prune_low_magnitude` of TF-MOT."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from tflite_opt.keras_models.support import base, wrapping

_FIXES = {
    "Rescaling": base.PREPROCESSING_FIX,
    "Normalization": base.PREPROCESSING_FIX,
    "TFOpLambda": base.OPERATOR_FIX,
    "SlicingOpLambda": "Crop with a Cropping layer.",
    "PReLU": "Use LeakyReLU or ReLU.",
    "Bidirectional": (
        "Use two recurrent layers, one with go_backwards=True, and Concatenate."
    ),
}
_OTHER_FIX = "Wrap only the other layers, or make it a PrunableLayer."


class PruningSupport(base.Support):
    """Wraps each layer with `PruneLowMagnitude`."""

    technique: ClassVar[str] = "pruning"

    def examine(self, model: Any, layers: Mapping[str, Any]) -> base.Findings:
        """Asks TF-MOT; it goes into nested models."""
        from tensorflow_model_optimization.sparsity import keras as sparsity

        found = wrapping.examine(
            model,
            layers,
            sparsity.prune_low_magnitude,
            lambda wrapper: getattr(wrapper, "prunable_weights", ()),
            _FIXES,
            _OTHER_FIX,
        )
        verdicts = {
            path: (
                dataclasses.replace(verdict, reason=_left_dense(layers[path]))
                if verdict.status == "left_out"
                else verdict
            )
            for path, verdict in found.verdicts.items()
        }
        return dataclasses.replace(found, verdicts=verdicts)


def _left_dense(layer: Any) -> str:
    name = type(layer).__name__
    if "Depthwise" in name:
        return "TF-MOT never prunes depthwise kernels."
    return f"TF-MOT prunes nothing in {name}."
