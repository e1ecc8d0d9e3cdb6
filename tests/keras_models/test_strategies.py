# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import numpy as np
import pytest

from tests.keras_models import mirrored_training

pytestmark = pytest.mark.tensorflow


def test_one_mirrored_device_trains_as_without_a_strategy(tmp_path):
    mirrored = mirrored_training.train("mirrored", tmp_path)
    single = mirrored_training.train("none")
    for a, b in zip(mirrored.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    # What was trained is not trained again.
    before = mirrored.get_weights()
    again = mirrored_training.train("mirrored", tmp_path)
    for a, b in zip(before, again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_two_devices_train_a_batch_together(tmp_path):
    subprocess.run(
        [
            sys.executable,
            "-m",
            mirrored_training.__name__,
            str(tmp_path / "checkpoints"),
            str(tmp_path / "weights.npz"),
        ],
        check=True,
        capture_output=True,
    )
    with np.load(tmp_path / "weights.npz") as stored:
        assert stored["replicas"] == 2
        mirrored = [stored[name] for name in stored.files[1:]]
    single = mirrored_training.train("none").get_weights()
    assert len(mirrored) == len(single)
    # Batch normalization sees half the batch on each device, so that few
    # weights join another cluster.
    for a, b in zip(mirrored, single, strict=True):
        np.testing.assert_allclose(a, b, atol=0.1)
        assert len(np.unique(a)) <= max(8, len(np.unique(b)))
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
