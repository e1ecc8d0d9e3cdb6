# SPDX-License-Identifier: Apache-2.0
import json
import pathlib

import pytest

from tests.scripts import programs
from tests.tflite import handmade
from tflite_opt.records import tensor_names


@pytest.fixture
def model(tmp_path):
    builder = handmade.dense()
    builder.metadata("CONVERSION_METADATA", b"x" * 100)
    return builder.save(tmp_path / "model.tflite")


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out" / "slim.tflite"


def test_prints_what_was_saved(model, output):
    done = programs.run("slim", model, output)
    assert done.returncode == 0
    assert done.stderr == ""
    for part in (
        f"from {model.stat().st_size:,} to {output.stat().st_size:,} bytes",
        "bit-identical with XNNPACK and builtin",
        "conversion metadata",
        "tensor names",
        "layout",
        ".names.json",
    ):
        assert part in done.stdout


def test_json_says_the_same(model, output):
    done = programs.run("slim", model, output, "--output=json")
    found = json.loads(done.stdout)
    assert found["original_bytes"] == model.stat().st_size
    assert found["size_bytes"] == output.stat().st_size
    saved = found["original_bytes"] - found["size_bytes"]
    assert sum(found["saved_bytes"].values()) == saved
    assert pathlib.Path(found["names_path"]).parent == output.parent
    assert found["check"] == "bit-identical with XNNPACK and builtin"
    names = tensor_names.names_for(output)
    assert names == {(0, 1): "weights", (0, 2): "bias"}


def test_a_slim_file_is_copied(model, output, tmp_path):
    programs.run("slim", model, output)
    copy = tmp_path / "copy.tflite"
    done = programs.run("slim", output, copy)
    assert done.returncode == 0
    assert "Not slimmed: it would not become smaller." in done.stdout
    assert copy.read_bytes() == output.read_bytes()
    assert tensor_names.names_for(copy) == tensor_names.names_for(output)


def test_an_existing_file_is_replaced_only_when_asked(model, output):
    output.parent.mkdir()
    output.write_text("mine")
    done = programs.run("slim", model, output)
    programs.assert_one_error_line(done, str(output), "--overwrite")
    assert output.read_text() == "mine"
    done = programs.run("slim", model, output, "--overwrite", "--noverify")
    assert done.returncode == 0
    assert "not run" in done.stdout
    assert output.read_bytes()[4:8] == b"TFL3"


@pytest.mark.parametrize("flag", ["--overwrite", "--nooverwrite"])
def test_a_file_cannot_replace_itself(model, tmp_path, flag):
    before = model.read_bytes()
    link = tmp_path / "link.tflite"
    link.symlink_to(model)
    for target in (model, link):
        done = programs.run("slim", model, target, flag)
        programs.assert_one_error_line(done, "different files")
    assert model.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "No model at"),
        (b"", "a file of 0 bytes"),
        (b"x" * 5000, "another kind of file"),
        (b"\x20\0\0\0TFL3" + b"\xff" * 500, "beyond its end"),
    ],
    ids=["missing", "empty", "garbage", "damaged"],
)
def test_refuses_what_is_no_model(tmp_path, output, content, part):
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    done = programs.run("slim", path, output)
    programs.assert_one_error_line(done, "model.tflite", part)
    assert not output.parent.exists()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_takes_two_files(model, tmp_path, count):
    paths = [model, tmp_path / "a.tflite", tmp_path / "b.tflite"]
    done = programs.run("slim", *paths[:count])
    programs.assert_one_error_line(done, "one .tflite file and where")


def test_refuses_a_directory_as_output(model, tmp_path):
    done = programs.run("slim", model, tmp_path, "--overwrite")
    programs.assert_one_error_line(done, "Choose another output file")
