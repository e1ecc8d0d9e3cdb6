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
        "constants     float32 60",
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


def test_json_has_everything(tmp_path):
    done = programs.run("inspect_model", str(_model(tmp_path)), "--output=json")
    (document,) = json.loads(done.stdout)
    found = facts.ModelFacts.from_json(document["facts"])
    assert found.operators[0].macs == 12
    assert found.tensors[1].values.zeros == 5
    assert sum(found.bytes_by_role.values()) == found.size_bytes
    assert found.sparse_encoded_bytes == found.size_bytes
    assert found.delegation.delegated == ((0,),)
    assert found.delegation.builtin_memory.arena_bytes == 64 + 12
    assert document["totals"]["macs"] == 12
    assert document["totals"]["zero_weight_fraction"] == 5 / 12


def test_two_files_are_shown_side_by_side(tmp_path):
    paths = [_model(tmp_path, "first"), _model(tmp_path, "second")]
    done = programs.run("inspect_model", *map(str, paths), "--nodelegation")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == [
        "first.tflite",
        "second.tflite",
        "difference",
        "ratio",
    ]
    (zeros,) = [x for x in lines if x.startswith("zero weights")]
    assert zeros.split()[2:] == ["41.67%", "41.67%"]
    assert "signature" not in done.stdout


def test_files_of_the_same_name_are_told_apart(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    paths = [str(_model(folder)) for folder in folders]
    done = programs.run("inspect_model", *paths, "--nodelegation")
    assert all(path in done.stdout for path in paths)


def test_operations_are_listed_on_request(tmp_path):
    done = programs.run("inspect_model", str(_model(tmp_path)), "--ops")
    (line,) = [x for x in done.stdout.splitlines() if x.startswith(" 0 ")]
    assert line.split() == ["0", "FULLY_CONNECTED", "1x3", "12", "15"] + [
        "float32",
        "41.67%",
        "6",
        "yes",
        "y",
    ]


def test_values_can_be_left_alone(tmp_path):
    done = programs.run(
        "inspect_model", str(_model(tmp_path)), "--novalues", "--nodelegation"
    )
    assert "zeros" not in done.stdout
    assert "sparse-encoded" not in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--input_shape=image:8,4"], ["--dynamic_dimension=8"]],
    ids=["shape", "dynamic"],
)
def test_open_dimensions_are_given_by_flags(tmp_path, arguments):
    builder = handmade.dense()
    tensors = builder.model.subgraphs[0].tensors
    tensors[0].shapeSignature, tensors[3].shapeSignature = [-1, 4], [-1, 3]
    builder.signature("classify", {"image": 0}, {"scores": 3})
    path = str(builder.save(tmp_path / "model.tflite"))
    done = programs.run("inspect_model", path, *arguments)
    assert "input shapes  8x4, as given" in done.stdout
    assert "MACs          96" in done.stdout
    assert "MACs          0, and those of 1" in (
        programs.run("inspect_model", path).stdout
    )


def test_refuses_two_shapes_for_an_input(tmp_path):
    flag = "--input_shape=image:1,4"
    done = programs.run("inspect_model", str(_model(tmp_path)), flag, flag)
    programs.assert_one_error_line(done, "'image' twice")


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("--input_shape=image", "'image'"),
        ("--input_shape=image:1,x", "'image:1,x'"),
        ("--input_shape=other:1,4", "'other'"),
        ("--input_shape=image:1,4,1", "must get 2 sizes"),
        ("--dynamic_dimension=0", "dynamic_dimension"),
    ],
    ids=["no-sizes", "no-number", "no-input", "rank", "zero"],
)
def test_refuses_shapes_that_make_no_sense(tmp_path, argument, part):
    done = programs.run("inspect_model", str(_model(tmp_path)), argument)
    programs.assert_one_error_line(done, part)


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


def test_lint_exits_with_1_on_a_warning_and_names_the_rule(finished_run):
    path = finished_run.path("artifacts", "int4.tflite")
    done = programs.run("inspect_model", str(path), "--lint")
    assert done.returncode == 1, done.stderr
    assert "warning int4-convolution: 3 CONV_2D" in done.stdout


def test_lint_as_json_for_ci(finished_run):
    path = finished_run.path("artifacts", "int4.tflite")
    done = programs.run("inspect_model", str(path), "--lint", "--output=json")
    (document,) = json.loads(done.stdout)
    rules = {item["rule"] for item in document["findings"]}
    assert {"int4-convolution", "delegation-split"} <= rules


def test_lint_is_content_when_the_warnings_are_silenced(finished_run):
    path = finished_run.path("artifacts", "int4.tflite")
    silence = "--silence=int4-convolution,delegation-split"
    done = programs.run("inspect_model", str(path), "--lint", silence)
    assert done.returncode == 0, done.stdout


def test_lint_refuses_an_unknown_rule(finished_run):
    path = finished_run.path("artifacts", "int4.tflite")
    done = programs.run("inspect_model", str(path), "--lint", "--silence=typo")
    programs.assert_one_error_line(done, "typo", "int4-convolution")


def test_dropped_names_come_back_from_beside_the_file(finished_run):
    path = finished_run.path("artifacts", "int8.tflite")
    done = programs.run("inspect_model", str(path), "--ops")
    assert "depthwise" in done.stdout
