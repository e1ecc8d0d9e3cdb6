# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from tests.scripts import programs
from tests.tflite import handmade


def test_prints_what_becomes_of_a_model(tmp_path):
    path = handmade.dense_with_signature().save(tmp_path / "model.tflite")
    done = programs.run("preflight", f"--model={path}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("model.tflite\n")
    assert "float32: 1 operation; 1 XNNPACK partition" in done.stdout
    assert "int8: 1 operation by litert_quantizer" in done.stdout


def test_what_is_blocked_is_a_negative_verdict(tmp_path):
    # No back end has an integer ELU.
    builder = handmade.dense()
    y = builder.tensor((1, 3), name="elu")
    builder.operator("ELU", (3,), (y,))
    builder.ends((0,), (y,))
    path = builder.save(tmp_path / "model.tflite")
    done = programs.run("preflight", f"--model={path}", "--output=json")
    assert done.returncode == 1, done.stderr
    (failure,) = json.loads(done.stdout)["failures"]
    assert failure["name"] == "int8"


@pytest.mark.parametrize(
    ("content", "arguments", "parts"),
    [
        (None, [], ["No model at", "model.tflite"]),
        (b"garbage", ["stray"], ["flags only", "stray"]),
        (b"garbage", ["--input_shape=x"], ["--input_shape"]),
    ],
    ids=["missing", "positional", "shape"],
)
def test_refuses_bad_input(tmp_path, content, arguments, parts):
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    done = programs.run("preflight", f"--model={path}", *arguments)
    programs.assert_one_error_line(done, *parts)


@pytest.mark.parametrize("suffix", [".tflite", ".h5", ".txt"])
def test_refuses_what_is_no_model(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(b"garbage" * 100)
    done = programs.run("preflight", f"--model={path}")
    programs.assert_one_error_line(done, f"model{suffix}")
