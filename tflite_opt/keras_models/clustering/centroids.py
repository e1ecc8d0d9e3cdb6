# SPDX-License-Identifier: Apache-2.0
"""Finds the values that stand best for all weights of a kernel."""

import numpy as np

from tflite_opt.records import clustering

# Lloyd's algorithm stops by itself long before, but it has no known bound that
# is worth waiting for.
_MAX_ITERATIONS = 300


def find(
    weights: np.ndarray,
    number_of_clusters: int,
    initialization: clustering.CentroidInitialization,
    seed: int,
) -> np.ndarray:
    """Returns centroids of k-means in one dimension.

    Args:
        weights: Shape `(n,)`, float32; not modified.
        number_of_clusters: At least 1.
        initialization: Where Lloyd's algorithm starts.
        seed: Of `random` and `kmeans_plus_plus`.

    Returns:
        Shape `(number_of_clusters,)`, float32, ascending. Values may repeat
        if there are fewer distinct weights; all 0 if there are no weights.
    """
    if not len(weights):
        return np.zeros(number_of_clusters, np.float32)
    ordered = np.sort(weights).astype(np.float64)
    found = np.sort(initial(ordered, number_of_clusters, initialization, seed))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    before = None
    for _ in range(_MAX_ITERATIONS):
        inner = np.searchsorted(ordered, (found[1:] + found[:-1]) / 2)
        bounds = np.concatenate([[0], inner, [len(ordered)]])
        if before is not None and np.array_equal(bounds, before):
            break
        before, counts = bounds, np.diff(bounds)
        means = np.diff(sums[bounds]) / np.maximum(counts, 1)
        # A cluster without weights stays where it is.
        found = np.sort(np.where(counts > 0, means, found))
    return found.astype(np.float32)


def initial(
    weights: np.ndarray,
    number_of_clusters: int,
    initialization: clustering.CentroidInitialization,
    seed: int,
) -> np.ndarray:
    """Returns the centroids that k-means starts from.

    Args:
        weights: Shape `(n,)`, ascending; n is at least 1.
        number_of_clusters: At least 1.
        initialization: `linear` spreads them evenly over the range of the
            weights, `random` uniformly by chance, `density_based` so that as
            many weights lie between each two; `kmeans_plus_plus` chooses
            weights that lie far from those already chosen.
        seed: Of chance.

    Returns:
        Shape `(number_of_clusters,)`, in any order.

    References:
        Han, Mao and Dally, "Deep Compression", 2016.
        https://arxiv.org/abs/1510.00149
        Arthur and Vassilvitskii, "k-means++", 2007.
        https://theory.stanford.edu/~sergei/papers/kMeansPP-soda.pdf
    """
    generator = np.random.default_rng(seed)
    low, high = weights[0], weights[-1]
    match initialization:
        case "linear":
            return np.linspace(low, high, number_of_clusters)
        case "random":
            return generator.uniform(low, high, number_of_clusters)
        case "density_based":
            return np.quantile(weights, np.linspace(0, 1, number_of_clusters))
        case "kmeans_plus_plus":
            return _plus_plus(weights, number_of_clusters, generator)


def _plus_plus(
    weights: np.ndarray,
    number_of_clusters: int,
    generator: np.random.Generator,
) -> np.ndarray:
    found = [generator.choice(weights)]
    squares = np.square(weights - found[0])
    while len(found) < number_of_clusters:
        reach = np.cumsum(squares)
        chosen = np.searchsorted(reach, generator.uniform(0, reach[-1]))
        found.append(weights[min(chosen, len(weights) - 1)])
        squares = np.minimum(squares, np.square(weights - found[-1]))
    return np.array(found)
