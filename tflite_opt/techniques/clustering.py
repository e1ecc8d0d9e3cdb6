# SPDX-License-Identifier: Apache-2.0
"""Clustering: the weights of a kernel share a few values."""

import dataclasses
from typing import Any, ClassVar

from tflite_opt.keras_models import fine_tuning, kernels
from tflite_opt.keras_models.clustering import sharing, targets
from tflite_opt.records import clustering, compression, errors
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clustering(base.CompressionTechnique):
    """Leaves a kernel a few distinct values and fine-tunes them.

    The file becomes smaller after compression (gzip, an APK); raw size and
    latency stay as they are. Convolutions without bias are clustered like all
    others.

    Folding batch normalization gives each channel a factor of its own, so
    that in a `.tflite` the values are as few in each channel, not in the whole
    kernel.

    Attributes:
        number_of_clusters: Distinct values, zero included; at least 2, and at
            least 3 where zeros are preserved.
        cluster_centroids_init: Where k-means starts; see `centroids.initial`.
        cluster_per_channel: Whether each output channel has values of its own:
            less loss, less gain.
        layers: From layer names or regular expressions, matched with the whole
            path, to a number of clusters of their own; 0 leaves a layer alone.
            Depthwise kernels are only clustered where they are named here.

    References:
        Han, Mao and Dally, "Deep Compression", 2016.
        https://arxiv.org/abs/1510.00149
    """

    technique: ClassVar[str] = "clustering"
    gives: ClassVar[compression.Property | None] = "clusters"
    preserves: ClassVar[frozenset[compression.Property]] = frozenset(
        {"sparsity"}
    )

    number_of_clusters: int = 16
    cluster_centroids_init: clustering.CentroidInitialization = (
        "kmeans_plus_plus"
    )
    cluster_per_channel: bool = False
    layers: dict[str, int] | None = None

    def __post_init__(self) -> None:
        """Checks the numbers and the regular expressions.

        Raises:
            InputError: If a value is out of its range.
        """
        super().__post_init__()
        least = 3 if self.preserve else 2
        rule = " with preserve: [sparsity]" if self.preserve else ""
        if self.number_of_clusters < least:
            raise errors.InputError(
                f"`number_of_clusters` must be an integer >= {least}{rule}. "
                f"Received: number_of_clusters={self.number_of_clusters}"
            )
        layers = self.layers or {}
        kernels.check_patterns(layers)
        for key, count in layers.items():
            if count and count < least:
                raise errors.InputError(
                    f"`layers` must give 0 or an integer >= {least}{rule}. "
                    f"Received: {key}={count}"
                )

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        """Clusters the kernels and fine-tunes what they share."""
        options = self.training_options(context.options)
        keeps_zeros = "sparsity" in self.preserve
        chosen, left = targets.choose(
            model,
            self.number_of_clusters,
            self.layers or {},
            per_channel=self.cluster_per_channel,
            keeps_zeros=keeps_zeros,
        )
        sparse = (
            targets.sparse_others(model, chosen, context.promises)
            if keeps_zeros
            else ()
        )
        share = sharing.share(
            chosen, self.cluster_centroids_init, options.seed, sparse=sparse
        )
        history = context.fit(model, options, callbacks=[share])
        return fine_tuning.Compressed(
            model=model,
            promises=tuple(
                compression.Promise(
                    layer=target.kernel.layer,
                    weight=target.kernel.weight,
                    max_unique_values=target.number_of_clusters,
                    per_channel=target.per_channel,
                )
                for target in chosen
            ),
            histories=(history,),
            notes=(_summary(model, chosen), *left),
        )


def _summary(model: Any, chosen: tuple[sharing.Target, ...]) -> str:
    weights = sum(target.kernel.num_elements for target in chosen)
    return (
        f"{len(chosen)} kernels with {weights / model.count_params():.1%} of "
        "all parameters are clustered."
    )
