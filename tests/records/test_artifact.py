# SPDX-License-Identifier: Apache-2.0
import gzip
import hashlib

import pytest

from tflite_opt.records import artifact, errors


def test_describes_the_real_file(tmp_path):
    path = tmp_path / "model.tflite"
    content = b"model" * 1000
    path.write_bytes(content)
    found = artifact.describe(path, format="tflite", parents=("a", "b"))
    assert found.name == "model"
    assert found.size_bytes == 5000
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.gzip_bytes == len(gzip.compress(content, 9))
    assert found.parents == ("a", "b")


def test_describes_a_directory_by_all_its_files(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "a").write_bytes(b"12")
    (tmp_path / "saved" / "b").write_bytes(b"345")
    found = artifact.describe(tmp_path / "saved", format="saved_model")
    assert found.size_bytes == 5
    assert found.gzip_bytes is None


def test_a_missing_model_is_one_clear_error(tmp_path):
    with pytest.raises(errors.ModelError, match="No model at"):
        artifact.describe(tmp_path / "nothing.h5", format="keras")
