# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.keras_models.pruning import masks
from tflite_opt.records import pruning

RANDOM = np.random.default_rng(0)


def survivors(scores, sparsity, **pattern):
    pattern = pattern or {"final_sparsity": sparsity}
    return masks.mask(
        np.asarray(scores, np.float32),
        pruning.Pattern(**pattern),
        sparsity,
    )


def test_drops_the_lowest_scores():
    found = survivors([[3, 1, 4], [1.5, 9, 2]], 0.5)
    assert found.tolist() == [[True, False, True], [False, True, False]]


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.5, 0.8, 0.99])
def test_drops_exactly_as_many_as_asked(sparsity):
    scores = RANDOM.random((3, 3, 8, 16))
    dropped = np.count_nonzero(~survivors(scores, sparsity))
    assert dropped == round(sparsity * scores.size)


def test_of_equal_scores_the_first_go():
    assert survivors([2, 1, 1, 1], 0.5).tolist() == [True, False, False, True]
    assert survivors([0, 0, 0, 0], 0.5).tolist() == [False, False, True, True]


def test_what_is_gone_stays_away():
    scores = RANDOM.random((16, 16)).astype(np.float32)
    first = survivors(scores, 0.5)
    later = survivors(np.where(first, RANDOM.random((16, 16)), -np.inf), 0.7)
    assert not (later & ~first).any()


def groups(mask, size):
    rows = np.moveaxis(mask, -1, 0)
    return np.count_nonzero(~rows.reshape(-1, size), axis=1)


@pytest.mark.parametrize(
    "shape",
    [(8, 5), (3, 3, 4, 5), (2, 2, 3, 5)],
    ids=["dense", "convolution", "across positions"],
)
def test_each_group_of_an_output_channel_has_its_zeros(shape):
    found = survivors(RANDOM.random(shape), 0.5, n_of_m=(2, 4))
    assert (groups(found, 4) == 2).all()


def test_the_lowest_of_each_group_go():
    column = np.array([[1, 5, 2, 6, 9, 8, 7, 3]]).T
    found = survivors(column, 0.5, n_of_m=(2, 4))
    assert found[:, 0].tolist() == [0, 1, 0, 1, 1, 1, 0, 0]


def test_groups_fill_step_by_step():
    scores = RANDOM.random((8, 4))
    counts = [
        set(groups(survivors(scores, s, n_of_m=(2, 4)), 4))
        for s in (0.1, 0.25, 0.4, 0.5)
    ]
    assert counts == [{0}, {1}, {2}, {2}]


def test_a_rest_that_fills_no_group_stays_dense():
    found = survivors(np.arange(7)[:, np.newaxis] + 1, 0.5, n_of_m=(2, 4))
    assert found[:, 0].tolist() == [0, 0, 1, 1, 1, 1, 1]


def test_blocks_go_as_a_whole():
    scores = np.array([[1, 1, 9, 9, 2], [1, 1, 9, 9, 2], [5, 5, 3, 3, 8]])
    found = survivors(scores, 0.5, final_sparsity=0.5, block_size=(2, 2))
    assert found.astype(int).tolist() == [
        [0, 0, 1, 1, 0],
        [0, 0, 1, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_blocks_of_a_pointwise_convolution():
    scores = RANDOM.random((1, 1, 8, 16))
    found = survivors(scores, 0.75, final_sparsity=0.75, block_size=(4, 4))
    whole = found.reshape(2, 4, 4, 4).sum(axis=(1, 3))
    assert set(whole.ravel()) == {0, 16}
    assert found.mean() == 0.25
