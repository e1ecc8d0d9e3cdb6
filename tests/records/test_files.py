# SPDX-License-Identifier: Apache-2.0
import errno
import gzip
import hashlib
import os
import zipfile

import numpy as np
import pytest

from tflite_opt.records import errors, files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.bin"
    path.write_bytes(b"old")

    def fail_in_the_middle() -> None:
        with files.atomic_path(path) as temporary:
            temporary.write_bytes(b"half of the n")
            raise KeyError("stop")

    with pytest.raises(KeyError):
        fail_in_the_middle()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    tmp_path, monkeypatch
):
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.OutputError, match="No space left on device"):
        files.write_bytes(tmp_path / "result.bin", b"content")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_below_a_file_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(errors.OutputError, match="Cannot write"):
        files.write_bytes(tmp_path / "file" / "result.bin", b"content")


def test_written_files_follow_the_umask(tmp_path):
    files.write_text(tmp_path / "result.txt", "text")
    expected = 0o666 & ~_umask()
    assert (tmp_path / "result.txt").stat().st_mode & 0o777 == expected


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_hash_and_sizes_are_those_of_the_file(tmp_path):
    path = tmp_path / "model.bin"
    content = b"abc" * 1000
    path.write_bytes(content)
    assert files.sha256_of_path(path) == hashlib.sha256(content).hexdigest()
    assert files.size_of_path(path) == 3000
    compressed = gzip.compress(content, 9, mtime=0)
    assert files.gzip_size_of_file(path) == len(compressed)


def test_the_hash_of_a_directory_sees_names_and_bytes(tmp_path):
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(text)
    (tmp_path / "b" / "file").rename(tmp_path / "b" / "other")
    hashes = {files.sha256_of_path(tmp_path / name) for name in "abc"}
    assert len(hashes) == 3


def test_the_same_arrays_give_the_same_npz_bytes(tmp_path):
    arrays = {"b": np.arange(3), "a": np.ones((2, 2), np.float32)}
    files.write_npz(tmp_path / "1.npz", arrays)
    files.write_npz(tmp_path / "2.npz", dict(reversed(arrays.items())))
    first, second = (tmp_path / f"{i}.npz" for i in (1, 2))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "other",
    [
        {"x": np.array([1, 2, 4])},
        {"y": np.array([1, 2, 3])},
        {"x": np.array([[1, 2, 3]])},
        {"x": np.array([1, 2, 3], np.int32)},
    ],
    ids=["value", "name", "shape", "dtype"],
)
def test_the_hash_of_arrays_sees(other):
    base = {"x": np.array([1, 2, 3])}
    assert files.sha256_of_arrays(base) != files.sha256_of_arrays(other)


def test_arrays_come_back_as_written(tmp_path):
    arrays = {"a/b": np.arange(3), "text": np.array("words")}
    files.write_npz(tmp_path / "x.npz", arrays)
    found = files.read_npz(tmp_path / "x.npz")
    assert found.keys() == arrays.keys()
    np.testing.assert_array_equal(found["a/b"], np.arange(3))
    assert str(found["text"]) == "words"


def _other_npz(path, kind):
    if kind == "single":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "pickled":
        np.savez(path, x=np.array([{}], object))
    elif kind == "no array":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "text")
    elif kind == "garbage":
        path.write_bytes(b"garbage" * 10)
    elif kind == "truncated":
        np.savez(path, x=np.zeros(1000))
        path.write_bytes(path.read_bytes()[:500])


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "No such file"),
        ("single", "a single array"),
        ("pickled", "pickled objects"),
        ("no array", "'readme.txt', which is no array"),
        ("garbage", "no .npz"),
        ("truncated", "not a zip file"),
    ],
)
def test_what_is_no_npz_of_plain_arrays_is_refused(tmp_path, kind, reason):
    path = tmp_path / "x.npz"
    _other_npz(path, kind)
    with pytest.raises(errors.InputError, match=reason) as caught:
        files.read_npz(path)
    assert "x.npz" in str(caught.value)
