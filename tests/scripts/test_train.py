# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "scripts.train", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.tensorflow
def test_trains_and_prints_where_the_model_is(tmp_path):
    path = tmp_path / "m.keras"
    done = run(
        f"--output_model={path}",
        "--epochs=1",
        "--limit=40",
        "--class_weights=balanced",
        "--strategy=mirrored",
        f"--tensorboard_dir={tmp_path / 'logs'}",
        "--output=json",
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["record"] == "TrainedModel"
    assert document["artifact"]["path"] == str(path)
    options = document["history"]["options"]
    assert options["epochs"] == 1
    assert options["balance_classes"]
    assert options["strategy"] == "mirrored"
    assert len(list((tmp_path / "logs").iterdir())) == 1
    assert "epoch 1/1" in done.stderr
    assert path.is_file()


@pytest.mark.tensorflow
def test_a_model_alone_is_trained_on_its_own_data_set(tmp_path):
    done = run(
        f"--output_model={tmp_path / 'm.h5'}",
        "--model=graph_network",
        "--model_options=filters=8",
        "--epochs=1",
        "--limit=40",
        "--output=json",
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["dataset"] == "graphs"
    assert document["model_options"] == {"filters": 8}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--output_model"),
        (("--output_model=m.h5", "--model=vgg"), "sample_cnn"),
        (("--output_model=m.h5", "--epochs=0"), "`epochs` must be at least 1"),
        (("--output_model=m.h5", "--learning_rate=nan"), "learning_rate"),
        (("--output_model=m.h5", "--dataset=x"), "`source` must be one of"),
        (
            ("--output_model=m.h5", "--class_weights=1,high"),
            "`class_weights` must be numbers, or `balanced`. Received: "
            "--class_weights=1,high",
        ),
        (("--output_model=m.h5", "--class_weights=0,0"), "nor all 0"),
        (
            ("--output_model=m.h5", "--model_options=filters"),
            "`model_options` must be NAME=VALUE with a number, true or false. "
            "Received: --model_options=filters",
        ),
        (("--output_model=m.pb",), "must end in .h5 or .keras"),
        (("--output_model=models/sample_model.h5",), "exists"),
        (("--output_model=m.h5", "more"), "takes flags only"),
    ],
    ids=[
        "no output",
        "model",
        "epochs",
        "nan",
        "dataset",
        "class weight",
        "no weight",
        "model option",
        "suffix",
        "exists",
        "positional",
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert message in lines[0]
