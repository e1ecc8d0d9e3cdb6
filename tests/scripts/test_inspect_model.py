# SPDX-License-Identifier: Apache-2.0
import json
import subprocess
import sys

import pytest

from tests.scripts import programs
from tests.tflite import handmade
from tflite_opt.records import facts


def _model(tmp_path, name="dense"):
    builder = handmade.dense()
    builder.signature("classify", {"image": 0}, {"scores": 3})
    builder.metadata("min_runtime_version", b"1.5.0\0")
    return builder.save(tmp_path / f"{name}.tflite")


def test_prints_what_a_file_says(tmp_path):
    path = _model(tmp_path)
    done = programs.run("inspect_model", str(path))
    assert done.returncode == 0
    assert done.stderr == ""
    for part in (
        str(path),
        f"{path.stat().st_size:,} bytes",
        "min runtime   1.5.0",
        "float32 60 bytes",
        "12 in 1 tensor, 0.00% quantized",
        "XNNPACK       1 partition",
        "builtin       ok",
        "signature 'classify'",
        "1x4",
        "FULLY_CONNECTED",
        "100.00%",
    ):
        assert part in done.stdout


def test_json_holds_the_record(tmp_path):
    paths = [_model(tmp_path, "first"), _model(tmp_path, "second")]
    done = programs.run(
        "inspect_model", *map(str, paths), "--output=json", "--nodelegation"
    )
    assert done.returncode == 0
    documents = json.loads(done.stdout)
    assert [document["path"] for document in documents] == list(map(str, paths))
    found = facts.ModelFacts.from_json(documents[0]["facts"])
    assert found.signatures[0].key == "classify"
    assert found.delegation is None


def test_a_file_the_runtime_refuses_is_shown_with_the_reason(tmp_path):
    builder = handmade.dense()
    builder.operator("MyOperation", (3,), (3,), version=2)
    path = builder.save(tmp_path / "model.tflite")
    done = programs.run("inspect_model", str(path))
    assert done.returncode == 0
    assert done.stdout.count("unresolved custom op: MyOperation") == 2
    assert "MyOperation (custom)" in done.stdout


def test_control_codes_in_names_are_escaped(tmp_path):
    builder = handmade.dense()
    builder.signature("a\nb\x1b[31m", {"x": 0}, {"y": 3})
    path = builder.save(tmp_path / "model.tflite")
    done = programs.run("inspect_model", str(path), "--nodelegation")
    assert "\x1b" not in done.stdout
    assert r"a\nb\x1b[31m" in done.stdout


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "a file of 0 bytes"),
        (b"x" * 5000, "another kind of file"),
        (b"\x20\0\0\0TFL3" + b"\xff" * 500, "beyond its end"),
        (None, "No model at"),
    ],
    ids=["empty", "garbage", "damaged", "missing"],
)
def test_refuses_what_is_no_model(tmp_path, content, part):
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    done = programs.run("inspect_model", str(path))
    programs.assert_one_error_line(done, "model.tflite", part)


def test_refuses_a_directory(tmp_path):
    done = programs.run("inspect_model", str(tmp_path))
    programs.assert_one_error_line(done, str(tmp_path), "no regular file")


def test_one_bad_file_of_several_is_an_error(tmp_path):
    done = programs.run(
        "inspect_model", str(_model(tmp_path)), "nothing.tflite"
    )
    programs.assert_one_error_line(done, "nothing.tflite")


def test_needs_a_file():
    done = programs.run("inspect_model")
    programs.assert_one_error_line(done, "one or more .tflite files")


def test_never_imports_tensorflow(tmp_path):
    path = _model(tmp_path)
    done = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "scripts.inspect_model",
            str(path),
        ],
        cwd=programs.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {
        line.rpartition("|")[2].strip().split(".")[0]
        for line in done.stderr.splitlines()
    }
    assert "numpy" in imported
    assert not imported & {"tensorflow", "keras", "tf_keras"}
