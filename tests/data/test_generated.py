# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.data import dataset, generated, sources


@pytest.fixture(scope="module")
def pools():
    return {name: generated.load(name, seed=0) for name in generated.NAMES}


def load(name, **fields):
    return sources.load(dataset.DataSpec(source=name, **fields))


@pytest.mark.parametrize("name", generated.NAMES)
def test_a_seed_decides_every_example(pools, name):
    again, other = (generated.load(name, seed) for seed in (0, 1))
    for key, values in pools[name].inputs.items():
        np.testing.assert_array_equal(values, again.inputs[key])
        assert not np.array_equal(values, other.inputs[key])


@pytest.mark.parametrize(
    ("name", "best"), [("sensor", 0.6), ("tokens", 0.4), ("graphs", 0.7)]
)
def test_a_linear_model_does_not_solve_it(pools, name, best):
    pool = pools[name]
    values = np.concatenate(
        [x.reshape(len(x), -1) for x in pool.inputs.values()], axis=1
    )
    assert _linear_accuracy(values, pool.labels) < best


def test_counting_words_tells_no_order(pools):
    pool = pools["tokens"]
    ids = pool.inputs["tokens"]
    counts = np.zeros((len(ids), ids.max() + 1))
    np.add.at(counts, (np.arange(len(ids))[:, np.newaxis], ids), 1)
    accuracy = _linear_accuracy(counts, pool.labels)
    assert accuracy == pytest.approx(0.5, abs=0.05)


def _linear_accuracy(values, labels):
    """Test accuracy of one-against-all least squares on half of the data."""
    values = np.column_stack([values, np.ones(len(values))])
    order = np.random.default_rng(0).permutation(len(labels))
    train, test = np.array_split(order, 2)
    wanted = np.eye(labels.max() + 1)[labels[train]]
    weights, *_ = np.linalg.lstsq(values[train], wanted, rcond=1e-6)
    return np.mean((values[test] @ weights).argmax(axis=1) == labels[test])


def test_token_classes_are_the_order_of_two_markers(pools):
    pool = pools["tokens"]
    for ids, label in list(
        zip(pool.inputs["tokens"], pool.labels, strict=True)
    )[:200]:
        kinds = (ids[ids >= 80] - 80) // 3
        named = "_before_".join("abcd"[kind] for kind in kinds)
        assert named == pool.class_names[label]


def test_graphs_are_of_their_family(pools):
    pool = pools["graphs"]
    edges = pool.inputs["adjacency"] > 0
    degrees = edges.sum(axis=2) - 1
    nodes = pool.inputs["features"][:, :, 0].sum(axis=1)
    assert (edges == edges.transpose(0, 2, 1)).all()
    by_class = {
        name: pool.labels == index
        for index, name in enumerate(pool.class_names)
    }
    ring, star, tree, grid = (
        by_class[name] for name in ("ring", "star", "tree", "grid")
    )
    assert (degrees.max(axis=1)[ring] == 2).all()
    assert (degrees.sum(axis=1)[ring] == 2 * nodes[ring]).all()
    assert (degrees.max(axis=1)[star] == nodes[star] - 1).all()
    assert (degrees.sum(axis=1)[tree] == 2 * nodes[tree] - 2).all()
    assert (degrees.max(axis=1)[grid] <= 4).all()


def test_adjacency_is_normalized_with_self_loops():
    path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    normalized = generated.normalized_adjacency(path)
    assert normalized.dtype == np.float32
    side = 1 / np.sqrt(6)
    np.testing.assert_allclose(
        normalized,
        [[1 / 2, side, 0], [side, 1 / 3, side], [0, side, 1 / 2]],
        rtol=1e-6,
    )
