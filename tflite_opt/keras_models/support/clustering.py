# SPDX-License-Identifier: Apache-2.0
"""What weight clustering accepts: `cluster_weights` of TF-MOT."""

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from tflite_opt.keras_models.support import base, wrapping
from tflite_opt.records import preflight

# TF-MOT's examples use 16; it decides only which tiny kernels are skipped.
_NUMBER_OF_CLUSTERS = 16
_FIXES = {
    "Normalization": base.PREPROCESSING_FIX,
    "PReLU": "Use LeakyReLU or ReLU.",
}
_OTHER_FIX = "Wrap only the other layers, or make it a ClusterableLayer."


class ClusteringSupport(base.Support):
    """Wraps each layer with `ClusterWeights`."""

    technique: ClassVar[str] = "clustering"

    def examine(self, model: Any, layers: Mapping[str, Any]) -> base.Findings:
        """Asks TF-MOT; it goes into nested models."""
        found = wrapping.examine(
            model,
            layers,
            _wrap,
            # A layer that is skipped comes back without a wrapper.
            lambda w: getattr(w, "original_clusterable_weights", ()),
            _FIXES,
            _OTHER_FIX,
        )
        verdicts = {
            path: _explain(verdict, layers[path])
            for path, verdict in found.verdicts.items()
        }
        return dataclasses.replace(found, verdicts=verdicts)


def _wrap(layer: Any) -> Any:
    from tensorflow_model_optimization.clustering import keras as clustering

    return clustering.cluster_weights(
        layer,
        number_of_clusters=_NUMBER_OF_CLUSTERS,
        # The quickest; it has no influence on what is accepted.
        cluster_centroids_init=clustering.CentroidInitialization.LINEAR,
    )


def _explain(verdict: preflight.Verdict, layer: Any) -> preflight.Verdict:
    name = type(layer).__name__
    if "no weights to cluster" in verdict.reason:
        return dataclasses.replace(
            verdict,
            reason=f"TF-MOT refuses a frozen {name}.",
            fix="Set its `trainable` to True.",
        )
    if verdict.status == "left_out":
        reason = f"TF-MOT clusters nothing in {name}."
        if "Depthwise" in name:
            reason = "TF-MOT never clusters depthwise kernels."
        elif _is_convolution(layer):
            reason = "The kernel has too few weights for 16 clusters."
        return dataclasses.replace(verdict, reason=reason)
    if (
        verdict.status == "applies"
        and _is_convolution(layer)
        and not layer.use_bias
        and not _clustered_per_channel(layer)
    ):
        return dataclasses.replace(
            verdict,
            reason="Per-channel clustering skips it: it has no bias.",
            fix="Fold batch normalization first, which adds one.",
        )
    return verdict


def _is_convolution(layer: Any) -> bool:
    import tf_keras as keras

    return isinstance(layer, keras.layers.Conv2D)


def _clustered_per_channel(layer: Any) -> bool:
    from tensorflow_model_optimization.python.core.clustering.keras import (
        cluster,
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(
            cluster.layer_has_enough_weights_to_cluster(
                layer, _NUMBER_OF_CLUSTERS, True
            )
        )
