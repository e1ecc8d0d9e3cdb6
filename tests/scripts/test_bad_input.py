# SPDX-License-Identifier: Apache-2.0
"""Bad input: one `error:` line, exit code 2, and nothing half-written."""

import numpy as np
import pytest

from tests.scripts import programs
from tflite_opt.keras_models import reference


def _refused(tmp_path, program, *arguments, parts=()):
    """Runs a program that must refuse; returns what it wrote."""
    output = tmp_path / "out"
    done = programs.run(program, *arguments, f"--output_dir={output}")
    programs.assert_one_error_line(done, *parts)
    return output


def _npz(tmp_path, **changes):
    random = np.random.default_rng(0)
    arrays = {
        "x_train": random.uniform(0, 1, (300, 8, 8, 1)).astype(np.float32),
        "y_train": np.arange(300) % 10,
        "x_test": random.uniform(0, 1, (50, 8, 8, 1)).astype(np.float32),
        "y_test": np.arange(50) % 10,
    }
    path = tmp_path / "data.npz"
    np.savez(path, **(arrays | changes))
    return f"--dataset=npz:{path}", "--num_calibration=50"


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--recipes=int8,int7"], ["Received: int7", "Known:", "int8"]),
        (["--dataset=imagenet"], ["'imagenet'", "digits", "cifar10"]),
        (["--max_accuracy_drop=5"], ["max_accuracy_drop=5", "0.005"]),
        (["--metric=top2"], ["metric='top2'", "auto", "top1", "mean_iou"]),
        (["--metric=python:no_package:f"], ["no_package"]),
        (["--launches=0"], ["launches=0"]),
        (["--num_calibration=0"], ["num_calibration=0"]),
        (["--data_seed=1"], ["data_seed=1", "--data_seed=0"]),
        (["--data_seed=-1"], ["seed=-1"]),
        (["--model=nothing.h5"], ["nothing.h5"]),
        (["--model=resnet9"], ["resnet9", "resnet8"]),
        (["--model=tests"], ["'tests'", ".keras"]),
        (["--no_such_flag=1"], ["no_such_flag"]),
        (["--launches=many"], ["many"]),
        (["stray"], ["stray"]),
        (["--resume", "--overwrite"], ["--resume", "--overwrite"]),
        (["--min_agreement=2"], ["limit=2", "fraction"]),
        (["--max_divergence=1", "--min_snr_db=9"], ["divergence, snr_db"]),
    ],
    ids=lambda value: value[0] if value[0].startswith("--") else None,
)
def test_optimize_refuses_bad_flags(tmp_path, flags, parts):
    output = _refused(tmp_path, "optimize", *flags, parts=parts)
    assert not output.exists() or not list(output.rglob("*.tflite"))


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage" * 100, None],
    ids=["empty", "garbage", "truncated"],
)
def test_optimize_refuses_what_is_no_keras_model(tmp_path, content):
    model = tmp_path / "model.h5"
    if content is None:
        content = reference.sample_model_path().read_bytes()[:20_000]
    model.write_bytes(content)
    output = _refused(
        tmp_path, "optimize", f"--model={model}", parts=["model.h5"]
    )
    assert not list(output.rglob("*.tflite"))


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        (
            {
                "x_train": np.zeros((300, 9, 9, 1), np.float32),
                "x_test": np.zeros((50, 9, 9, 1), np.float32),
            },
            ["(8, 8, 1)", "(9, 9, 1)"],
        ),
        (
            {"x_train": np.full((300, 8, 8, 1), np.nan, np.float32)},
            ["NaN"],
        ),
        ({"y_test": np.full(50, 12)}, ["12"]),
        (
            {"y_train": np.arange(300) % 12, "y_test": np.arange(50) % 12},
            ["11"],
        ),
    ],
    ids=["shape", "nan", "label-not-trained", "label-not-in-model"],
)
def test_optimize_refuses_data_that_do_not_fit(tmp_path, changes, parts):
    flags = _npz(tmp_path, **changes)
    output = _refused(tmp_path, "optimize", *flags, parts=parts)
    assert not list(output.rglob("*.tflite"))


def test_optimize_refuses_an_existing_directory(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("text")
    output = _refused(tmp_path, "optimize", parts=["holds other files"])
    assert [path.name for path in output.iterdir()] == ["thesis.tex"]


def test_optimize_refuses_a_directory_it_cannot_write(tmp_path):
    (tmp_path / "out").write_text("a file")
    _refused(tmp_path, "optimize", "--overwrite", parts=["output_dir="])


@pytest.mark.parametrize("max_file_bytes", [100_000, 20_000])
def test_a_disk_that_fills_up_leaves_nothing_half_written(
    tmp_path, max_file_bytes
):
    root = tmp_path / "out"
    done = programs.run(
        "optimize",
        f"--output_dir={root}",
        "--recipes=float16",
        max_file_bytes=max_file_bytes,
    )
    programs.assert_one_error_line(done, str(root), "File too large")
    assert not list(root.rglob("*.partial"))
    assert not list(root.rglob("*.tflite"))


@pytest.mark.parametrize("program", ["benchmark", "evaluate"])
@pytest.mark.parametrize(
    "content", [b"", b"x" * 5000, None], ids=["empty", "garbage", "truncated"]
)
def test_programs_survive_a_damaged_tflite(
    tmp_path, finished_run, program, content
):
    path = tmp_path / "model.tflite"
    if content is None:
        whole = finished_run.path("artifacts", "int8.tflite").read_bytes()
        content = whole[: len(whole) // 2]
    path.write_bytes(content)
    _refused(tmp_path, program, str(path), parts=["model.tflite"])


@pytest.mark.parametrize("program", ["benchmark", "evaluate"])
@pytest.mark.parametrize(
    ("arguments", "part"),
    [([], "none"), (["nothing.tflite"], "nothing.tflite")],
    ids=["none", "missing"],
)
def test_programs_need_files_that_exist(tmp_path, program, arguments, part):
    _refused(tmp_path, program, *arguments, parts=[part])


@pytest.mark.parametrize("content", [None, b"garbage"], ids=["none", "bad"])
def test_evaluate_refuses_outputs_that_are_no_arrays(
    tmp_path, finished_run, content
):
    path = tmp_path / "outputs.npz"
    if content is not None:
        path.write_bytes(content)
    model = finished_run.path("artifacts", "int8.tflite")
    flag = f"--original_outputs={path}"
    _refused(tmp_path, "evaluate", str(model), flag, parts=["outputs.npz"])


def test_the_debugger_names_tensors_of_a_parent_that_is_quantized(
    finished_run,
):
    done = programs.run(
        "debug_quantization",
        *(
            finished_run.path("artifacts", f"{name}.tflite")
            for name in ("int8", "int4")
        ),
        "--dataset=digits",
    )
    programs.assert_one_error_line(done, "quantized tensors, such as")


def test_report_needs_a_run(tmp_path):
    done = programs.run("report", f"--run={tmp_path}")
    programs.assert_one_error_line(done, "manifest.json")


def test_report_says_which_record_is_damaged(tmp_path, copied_run):
    copied_run.path("run.json").write_text("{}")
    done = programs.run("report", f"--run={copied_run.root}")
    programs.assert_one_error_line(done, "RunDescription")


def test_help_is_no_error():
    done = programs.run("optimize", "--help")
    assert done.returncode == 0
    for flag in ("--recipes", "--dataset", "--launches", "--output_dir"):
        assert flag in done.stdout
