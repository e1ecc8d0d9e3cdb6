# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from tflite_opt.post_training import rounding


def _problem(groups=2, size=6, outputs=3, seed=0):
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(groups, 200, size))
    # Correlated inputs, as those of a layer are.
    inputs += 2 * random.normal(size=(groups, 200, 1))
    moments = inputs.swapaxes(1, 2) @ inputs / 200
    return random.normal(0, 3, (groups, size, outputs)), moments


def _error(chosen, levels, moments):
    difference = chosen - levels
    return np.einsum("gko,gkl,glo->go", difference, moments, difference)


def test_outputs_are_closer_than_with_the_nearest_levels():
    levels, moments = _problem(size=32)
    chosen = rounding.round_to_levels(levels, moments, 127)
    nearest = np.rint(levels)
    assert (chosen == np.rint(chosen)).all()
    error, usual = (_error(x, levels, moments) for x in (chosen, nearest))
    assert (error <= usual + 1e-9).all()
    assert error.sum() < 0.3 * usual.sum()


def test_is_near_the_best_of_all_choices():
    levels, moments = _problem(groups=1, outputs=8)
    chosen = rounding.round_to_levels(levels, moments, 127)
    for output in range(levels.shape[2]):
        column = levels[:, :, output : output + 1]
        choices = itertools.product(
            *([x, x + 1] for x in np.floor(column[0, :, 0]))
        )
        best = min(
            _error(np.reshape(choice, column.shape), column, moments).item()
            for choice in choices
        )
        found = chosen[:, :, output : output + 1]
        assert _error(found, column, moments) <= 1.5 * best + 1e-9


def test_uncorrelated_inputs_give_the_nearest_levels():
    levels, _ = _problem()
    chosen = rounding.round_to_levels(levels, np.stack([np.eye(6)] * 2), 127)
    np.testing.assert_array_equal(chosen, np.rint(levels))


def test_stays_within_the_limit():
    levels, moments = _problem()
    assert np.abs(rounding.round_to_levels(levels * 5, moments, 7)).max() == 7


def test_inputs_that_never_vary_are_no_problem():
    levels, _ = _problem()
    chosen = rounding.round_to_levels(levels, np.zeros((2, 6, 6)), 127)
    np.testing.assert_array_equal(chosen, np.rint(levels))


def test_without_errors_of_the_inputs_the_weights_are_the_target():
    weights, moments = _problem()
    found = rounding.target(weights, moments, moments, ridge=1.0)
    np.testing.assert_allclose(found, weights, rtol=1e-4)


@pytest.mark.parametrize(
    ("ridge", "factor"), [(1e-3, 2.0), (1e6, 1.0)], ids=["free", "held"]
)
def test_the_ridge_holds_weights_to_those_of_the_float_model(ridge, factor):
    weights, moments = _problem()
    # Quantized inputs at half their size need weights of twice the size.
    found = rounding.target(weights, moments / 4, moments / 2, ridge)
    np.testing.assert_allclose(found, factor * weights, rtol=0.05)
