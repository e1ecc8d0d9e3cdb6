# SPDX-License-Identifier: Apache-2.0
"""One finished run of the sample model, shared by all tests that read it."""

import pathlib
import shutil

import pytest

from tests import shared_folder
from tflite_opt import pipeline, recipe
from tflite_opt.data import dataset
from tflite_opt.evaluation import evaluate
from tflite_opt.keras_models import source
from tflite_opt.records import benchmark, run_directory, training

RECIPES = ("float32", "float16", "dynamic_range", "int8", "int4")


def sample_request() -> pipeline.Request:
    """Returns a request that finishes in seconds."""
    return pipeline.Request(
        model=source.Choice(),
        data=dataset.DataSpec(source="digits", num_calibration=100),
        recipes=recipe.parse_names(RECIPES),
        training=training.TrainingOptions(),
        evaluation=evaluate.Options(),
        runtime=benchmark.RuntimeOptions(
            launches=3,
            warmup_runs=1,
            warmup_min_secs=0.0,
            num_runs=20,
            min_secs=0.0,
        ),
    )


@pytest.fixture(scope="session")
def finished_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> run_directory.RunDirectory:
    """Returns a run that no test may change; copy it first."""
    folder = shared_folder.made_once(tmp_path_factory, "finished", _optimize)
    return run_directory.RunDirectory.open(folder / "run")


def _optimize(folder: pathlib.Path) -> None:
    run = run_directory.RunDirectory.create(folder / "run", command="optimize")
    pipeline.optimize(sample_request(), run)


@pytest.fixture
def copied_run(
    finished_run: run_directory.RunDirectory, tmp_path: pathlib.Path
) -> run_directory.RunDirectory:
    """Returns a copy of the finished run that a test may change."""
    root = tmp_path / "copied"
    shutil.copytree(finished_run.root, root)
    return run_directory.RunDirectory.open(root)
