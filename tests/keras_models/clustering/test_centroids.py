# SPDX-License-Identifier: Apache-2.0
from typing import get_args

import numpy as np
import pytest

from tflite_opt.keras_models.clustering import centroids
from tflite_opt.records import clustering

WEIGHTS = np.random.default_rng(0).normal(size=4000).astype(np.float32)


def error(found, weights=WEIGHTS):
    return np.square(weights[:, None] - found).min(axis=1).mean()


@pytest.mark.parametrize(
    "initialization", get_args(clustering.CentroidInitialization)
)
def test_every_start_comes_close_to_the_best_16_values(initialization):
    found = centroids.find(WEIGHTS, 16, initialization, 0)
    assert found.shape == (16,)
    assert found.dtype == np.float32
    assert (np.diff(found) > 0).all()
    # Lloyd and Max: 0.009497 for a normal distribution.
    assert error(found) < 0.0105
    start = centroids.initial(np.sort(WEIGHTS), 16, initialization, 0)
    assert error(found) < error(start)


def test_the_end_is_a_fixed_point_of_k_means():
    found = centroids.find(WEIGHTS, 8, "density_based", 0)
    nearest = np.abs(WEIGHTS[:, None] - found).argmin(axis=1)
    means = [WEIGHTS[nearest == k].mean() for k in range(8)]
    np.testing.assert_allclose(found, means, rtol=1e-5)


def test_starts_are_what_they_are_called():
    weights = np.array([0.0, 1.0, 1.0, 1.0, 2.0, 10.0])

    def start(initialization, seed=0):
        return centroids.initial(weights, 3, initialization, seed)

    np.testing.assert_allclose(start("linear"), [0, 5, 10])
    np.testing.assert_allclose(start("density_based"), [0, 1, 10])
    assert set(start("kmeans_plus_plus")) <= set(weights)
    assert 10 in start("kmeans_plus_plus")
    drawn = start("random")
    assert ((drawn >= 0) & (drawn <= 10)).all()
    assert (drawn == start("random")).all()
    assert (drawn != start("random", seed=1)).any()


def test_few_distinct_weights_are_met_exactly():
    weights = np.array([-1, 3, 3, -1, 0.5], np.float32)
    for initialization in get_args(clustering.CentroidInitialization):
        found = centroids.find(weights, 16, initialization, 0)
        assert error(found, weights) == pytest.approx(0, abs=1e-12)


def test_no_weights_have_centroids_too():
    np.testing.assert_array_equal(
        centroids.find(WEIGHTS[:0], 3, "linear", 0), np.zeros(3)
    )
