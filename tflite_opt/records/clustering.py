# SPDX-License-Identifier: Apache-2.0
"""Words of weight clustering."""

from typing import Literal

# Those of TF-MOT's `CentroidInitialization`.
CentroidInitialization = Literal[
    "linear", "random", "density_based", "kmeans_plus_plus"
]
