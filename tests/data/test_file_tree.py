# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.data import pictures
from tflite_opt.data import file_tree
from tflite_opt.records import errors


@pytest.fixture(params=["folder", "zip"])
def tree(request, tmp_path):
    root = tmp_path / "data"
    for name in ("b/2.txt", "a.txt", "b/.hidden", "__MACOSX/b/._2.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
    if request.param == "zip":
        root = pictures.zipped(root, tmp_path / "data.zip")
    return file_tree.open_tree(root)


def test_lists_files_without_what_systems_leave_behind(tree):
    assert tree.names() == ["a.txt", "b/2.txt"]


def test_reads_files(tree):
    with tree.open("b/2.txt") as file:
        assert file.read() == b"content of b/2.txt"


def test_follows_links_to_folders(tmp_path):
    pictures.write(tmp_path / "elsewhere" / "1.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "elsewhere")
    assert file_tree.open_tree(tmp_path / "data").names() == ["cat/1.png"]


def test_a_damaged_member_is_an_os_error(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("content " * 50)
    path = pictures.zipped(tmp_path / "data", tmp_path / "data.zip")
    content = bytearray(path.read_bytes())
    content[40:44] = b"oops"
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"Error -3|Bad CRC-32"):
        file_tree.open_tree(path).open("a.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No data set at"), (b"text", "in a folder or a .zip. Received: ")],
    ids=["missing", "no archive"],
)
def test_rejects_what_is_neither(tmp_path, content, message):
    path = tmp_path / "data.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.DataError, match=re.escape(message)):
        file_tree.open_tree(path)
