# SPDX-License-Identifier: Apache-2.0
import contextlib

import numpy as np
import pytest

from tests.tflite import handmade, slimmable
from tflite_opt.records import errors
from tflite_opt.tflite import slimming


def _damaged(contents, count, seed):
    """Yields mutated and truncated files."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        content = bytearray(contents[random.integers(len(contents))])
        if random.random() < 0.2:
            del content[random.integers(len(content)) :]
        else:
            for _ in range(random.integers(1, 4)):
                place = random.integers(len(content))
                wide = random.choice([1, 4])
                content[place : place + wide] = random.bytes(wide)
        yield bytes(content)


def _require_robustness(contents, count, tmp_path):
    path = tmp_path / "model.tflite"
    refused = 0
    for content in _damaged(contents, count, seed=0):
        path.write_bytes(content)
        try:
            slimmed = slimming.slim(path)
        except errors.ModelError:
            refused += 1
            continue
        assert len(slimmed.content) <= len(content)
        if not slimmed.unchanged_because:
            (tmp_path / "slim.tflite").write_bytes(slimmed.content)
            again = slimming.slim(tmp_path / "slim.tflite")
            assert again.content == slimmed.content
    assert 0.1 * count < refused < 0.9 * count
    assert {p.name for p in tmp_path.iterdir()} == {
        "model.tflite",
        "slim.tflite",
    }


def _contents():
    dense = handmade.dense()
    dense.metadata("CONVERSION_METADATA", b"x" * 30)
    dense.signature("classify", {"x": 0}, {"y": 3})
    return [
        dense.content(),
        slimmable.words().content(),
        handmade.quantize(0.5, 3).content(),
        slimmable.with_files(dense.content(), positions_of_file=True),
    ]


def test_damaged_files_give_one_error_or_a_valid_file(tmp_path):
    _require_robustness(_contents(), 600, tmp_path)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_ten_thousand_damaged_files(converted, tmp_path):
    slimmable.write_sparse(converted / "sparse.tflite")
    names = ("int8", "outside", "while", "lstm", "sparse", "weight_only_int4")
    contents = [(converted / f"{name}.tflite").read_bytes() for name in names]
    _require_robustness(_contents() + contents, 10_000, tmp_path)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_damaged_files_never_end_the_process(converted, tmp_path):
    """The runtime may crash on them, in its child."""
    path = tmp_path / "model.tflite"
    contents = [(converted / "int8.tflite").read_bytes()] + _contents()
    for content in _damaged(contents, 150, seed=1):
        path.write_bytes(content)
        target = tmp_path / "slim.tflite"
        with contextlib.suppress(errors.ModelError):
            slimming.slim_file(path, target)
            target.unlink()
        assert not target.exists()
