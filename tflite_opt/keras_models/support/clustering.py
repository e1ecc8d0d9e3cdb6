# SPDX-License-Identifier: Apache-2.0
"""What weight clustering does to each layer: `techniques.clustering`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tflite_opt.keras_models.support import base
from tflite_opt.records import preflight

# The technique's own default.
_NUMBER_OF_CLUSTERS = 16


class ClusteringSupport(base.Support):
    """Looks for kernels, which are clustered where they are."""

    technique: ClassVar[str] = "clustering"

    def examine(self, model: Any, layers: Mapping[str, Any]) -> base.Findings:
        """Asks the technique about each kernel."""
        return base.Findings(
            {path: _verdict(path, layer) for path, layer in layers.items()}
        )


def _verdict(path: str, layer: Any) -> preflight.Verdict:
    # They look at nested layers with the help of this package.
    from tflite_opt.keras_models import kernels
    from tflite_opt.keras_models.clustering import targets

    if base.is_nested(layer):
        return _nested(layer)
    found = kernels.of_layers([(path, layer)])
    reasons = [
        targets.why_left(kernel, _NUMBER_OF_CLUSTERS, per_channel=False)
        for kernel in found
    ]
    if "" in reasons:
        return preflight.Verdict(status="applies")
    if reasons:
        return preflight.Verdict(status="left_out", reason=reasons[0])
    if base.has_kernels(layer):
        name = type(layer).__name__
        return preflight.Verdict(
            status="left_out",
            reason=f"No weight of {name} is one of {', '.join(kernels.NAMES)}.",
        )
    return preflight.Verdict(status="neutral")


def _nested(model: Any) -> preflight.Verdict:
    if base.has_graph(model):
        return preflight.Verdict(status="neutral")
    return preflight.Verdict(
        status="blocked",
        reason="The layers of a subclassed model are not known.",
        fix=base.NESTED_FIX,
    )
