# SPDX-License-Identifier: Apache-2.0
"""What pruning does to each layer unless something else is asked for."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tflite_opt.keras_models.pruning import kernels
from tflite_opt.keras_models.support import base
from tflite_opt.records import preflight


class PruningSupport(base.Support):
    """Looks for the kernels that are pruned; no layer stands in the way."""

    technique: ClassVar[str] = "pruning"

    def examine(self, model: Any, layers: Mapping[str, Any]) -> base.Findings:
        """Asks the technique itself; it goes into nested models."""
        found: dict[str, list[kernels.Kernel]] = {path: [] for path in layers}
        for kernel in kernels.find(layers.items()):
            found[kernel.layer].append(kernel)
        return base.Findings(
            {
                path: _verdict(layers[path], of_layer)
                for path, of_layer in found.items()
            }
        )


def _verdict(layer: Any, found: list[kernels.Kernel]) -> preflight.Verdict:
    if not all(kernel.dense_because for kernel in found):
        return preflight.Verdict(status="applies")
    reason = found[0].dense_because if found else ""
    if not found and any(len(weight.shape) > 1 for weight in layer.weights):
        if not base.is_nested(layer):
            reason = "Frozen weights stay as they are."
        elif not base.has_graph(layer):
            reason = "The layers of a subclassed model are not known."
    return preflight.Verdict(
        status="left_out" if reason else "neutral", reason=reason
    )
