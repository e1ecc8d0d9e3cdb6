# SPDX-License-Identifier: Apache-2.0
"""The files in `examples/` are right: schemas, flags, and what they do."""

import os
import pathlib
import re
import stat
import subprocess
import sys

import numpy as np
import pytest
import yaml

from tests.scripts import programs
from tflite_opt import recipe
from tflite_opt.comparison import budget
from tflite_opt.keras_models import reference

_EXAMPLES = programs.ROOT / "examples"
_WORKFLOWS = sorted((_EXAMPLES / "github").glob("*.yml"))


def _commands(path):
    """Returns the commands of a workflow's steps, in order."""
    (job,) = yaml.safe_load(path.read_text())["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def _program(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.name)
def test_workflows_follow_githubs_schema(path):
    subprocess.run(
        [
            pathlib.Path(sys.executable).with_name("check-jsonschema"),
            "--builtin-schema=vendor.github-workflows",
            path,
        ],
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.name)
def test_workflows_use_flags_that_exist(path):
    text = "\n".join(_commands(path)).replace("\\\n", " ")
    found = re.findall(r"tflite-opt (\w+)([^|;\n]*)", text)
    assert found
    for program, rest in found:
        known = programs.run(program, "--help").stdout
        for flag in re.findall(r"--(\w+)", rest):
            assert re.search(rf"--(\[no\])?{flag}\b", known), (program, flag)


@pytest.mark.parametrize(
    "path", sorted(_EXAMPLES.glob("*.yaml")), ids=lambda path: path.name
)
def test_yaml_files_are_budgets_or_recipes(path):
    if "budget" in path.name:
        assert budget.load(path).models
    else:
        assert recipe.read(path).convert


def test_own_model_is_about_thirty_lines():
    lines = (_EXAMPLES / "own_model.py").read_text().splitlines()
    code = [x for x in lines if x and not x.startswith(("#", '"""'))]
    assert len(code) <= 33


@pytest.mark.slow
def test_own_model_gets_a_recommendation(tmp_path):
    done = subprocess.run(
        [sys.executable, _EXAMPLES / "own_model.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(programs.ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "smaller" in done.stdout
    assert (tmp_path / "runs/own_model/run/report/report.md").is_file()


@pytest.mark.slow
def test_the_steps_of_the_workflow_gate_a_second_push(tmp_path):
    """Runs the steps twice, as for main and then for a pull request."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    _program(bin_folder, "pip", "exit 0")
    _program(
        bin_folder,
        "tflite-opt",
        f'PYTHONPATH={programs.ROOT} exec {sys.executable} -m scripts "$@"',
    )
    # GitHub's own program: lists a run once there is one, and fetches it.
    _program(
        bin_folder,
        "gh",
        f"""case "$1 $2" in
        "run list") if [ -d {tmp_path}/stored ]; then echo 7; fi ;;
        "run download") cp -r {tmp_path}/stored runs/main ;;
        "pr comment") cp gate.md comment.md ;;
        esac""",
    )
    work = tmp_path / "work"
    work.mkdir()
    random = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 300), ("test", 100)):
        arrays[f"x_{part}"] = random.uniform(0, 1, (count, 8, 8, 1)).astype(
            np.float32
        )
        arrays[f"y_{part}"] = np.arange(count) % 10
    np.savez(work / "data.npz", **arrays)
    (work / "budget.yaml").write_text(
        "models: {int8: {size_bytes: 60 kB, relative: {size: +1 %}}}"
    )
    environment = os.environ | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "MODEL": str(reference.sample_model_path()),
        "DATASET": "npz:data.npz",
        "RECIPES": "int8",
        "BUDGET": "budget.yaml",
        "PULL_REQUEST": "1",
    }
    for _ in range(2):
        for command in _commands(_EXAMPLES / "github" / "optimize.yml"):
            done = subprocess.run(
                ["bash", "-e", "-c", command],
                cwd=work,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
        if not (tmp_path / "stored").exists():
            (work / "runs/candidate").rename(tmp_path / "stored")
    assert "size" in (work / "comment.md").read_text()
