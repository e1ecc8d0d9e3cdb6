# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.evaluation import replay
from tflite_opt.records import artifact, errors
from tflite_opt.tflite import golden


@pytest.fixture
def model(tmp_path):
    path = handmade.dense().save(tmp_path / "dense.tflite")
    inputs = np.random.default_rng(0).random((8, 4), np.float32)
    outputs = inputs @ handmade.WEIGHTS.T + handmade.BIAS
    golden.write(
        path,
        golden.Reference(
            inputs={"x": inputs},
            outputs={"y": outputs},
            labels=None,
            preprocessing="none",
            original_sha256="1" * 64,
        ),
    )
    return artifact.describe(path, format="tflite")


def test_the_vectors_beside_a_file_are_replayed_with_both_kernels(model):
    results = replay.replay([model])
    assert [result.delegate for result in results] == ["xnnpack", "none"]
    assert all(result.ok for result in results)


def test_vectors_from_elsewhere_are_replayed_on_all_files(model, tmp_path):
    builder = handmade.dense()
    builder.model.description = "another file with the same outputs"
    other = artifact.describe(
        builder.save(tmp_path / "other.tflite"), format="tflite"
    )
    path = tmp_path / "dense.golden.npz"
    results = replay.replay([model, other], path)
    assert [result.is_own for result in results] == [True, True, False, False]
    assert all(result.ok for result in results)


def test_a_file_that_no_kernel_takes_is_refused(model, tmp_path):
    builder = handmade.Builder()
    x, y = (builder.tensor((1, 4), name=name) for name in "xy")
    builder.operator("NoSuchOperation", (x,), (y,))
    builder.ends((x,), (y,))
    path = builder.save(tmp_path / "custom.tflite")
    item = artifact.describe(path, format="tflite")
    with pytest.raises(errors.ModelError, match="NoSuchOperation"):
        replay.replay([item], tmp_path / "dense.golden.npz")


def test_nothing_runs_before_all_vectors_are_read(model, tmp_path):
    other = artifact.describe(
        handmade.dense().save(tmp_path / "other.tflite"), format="tflite"
    )
    with pytest.raises(errors.InputError, match="other.golden.npz"):
        replay.replay([model, other])
