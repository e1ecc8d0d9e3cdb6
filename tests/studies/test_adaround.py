# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tflite_opt.post_training import layers, reconstruction
from tflite_opt.studies import adaround
from tflite_opt.tflite import constants, flatbuffer


@pytest.fixture(scope="module")
def problems(float_net, int8_net, tmp_path_factory):
    """Returns what each layer of a small network is rounded by."""
    found = []

    def remember(problem):
        found.append(problem)
        return np.rint(problem.weights / problem.scale)

    reconstruction.reconstruct(
        *(float_net, int8_net, tmp_path_factory.mktemp("x") / "y.tflite"),
        *(models.examples(40), remember),
    )
    return found


def _coarse(problem, scale):
    """Returns the problem with levels that are further apart."""
    fields = {x: getattr(problem, x) for x in problem.__dataclass_fields__}
    return reconstruction.Problem(
        **fields | {"scale": problem.scale * scale, "limit": 127 // scale}
    )


def _error(problem, levels):
    count = problem.layer.num_patches(problem.given)
    rows = [
        problem.layer.patches(x, np.arange(count))
        for x in (problem.given, problem.exact)
    ]
    outputs = rows[0] @ (levels * problem.scale) - rows[1] @ problem.weights
    return float(np.mean(outputs**2))


@pytest.mark.parametrize("layer", [0, 1, 4], ids=["conv", "depthwise", "1x1"])
def test_outputs_are_closer_than_with_the_nearest_levels(problems, layer):
    problem = _coarse(problems[layer], 18)
    levels = problem.weights / problem.scale
    chosen = adaround.AdaRound(iterations=400)(problem)
    assert (chosen == np.rint(chosen)).all()
    assert np.abs(chosen - levels).max() < 1
    nearest = np.clip(np.rint(levels), -7, 7)
    assert _error(problem, chosen) < 0.9 * _error(problem, nearest)
    np.testing.assert_array_equal(
        chosen, adaround.AdaRound(iterations=400)(problem)
    )


def test_levels_stay_within_the_limit(problems):
    coarse = _coarse(problems[4], 18)
    fields = {x: getattr(coarse, x) for x in coarse.__dataclass_fields__}
    problem = reconstruction.Problem(**fields | {"limit": 3})
    assert np.abs(adaround.AdaRound(iterations=20)(problem)).max() == 3


def test_its_weights_can_be_written(float_net, int8_net, tmp_path):
    path = tmp_path / "rounded.tflite"
    done = reconstruction.reconstruct(
        *(float_net, int8_net, path, models.examples(20)),
        adaround.AdaRound(iterations=50),
    )
    assert done.weights == done.num_layers == 6
    for before, after in zip(
        *(layers.find(flatbuffer.read(x)) for x in (int8_net, path)),
        strict=True,
    ):
        old, new = (
            constants.read(model, model.subgraphs[0].tensors[layer.weights])
            for model, layer in (
                (flatbuffer.read(int8_net), before),
                (flatbuffer.read(path), after),
            )
        )
        assert np.abs(old.astype(int) - new).max() <= 1
