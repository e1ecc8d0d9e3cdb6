# SPDX-License-Identifier: Apache-2.0
"""A user's own `.tflite`, converted without TensorFlow."""

import pathlib

import numpy as np

from tests.post_training import models
from tflite_opt import recipe, stages
from tflite_opt.conversion import convert
from tflite_opt.data import dataset, sources
from tflite_opt.evaluation import evaluate
from tflite_opt.ladder import request
from tflite_opt.records import artifact, model_spec, run_directory, training


def prepared(
    folder: pathlib.Path, names: tuple[str, ...] | list[str] = ("float32",)
) -> tuple[run_directory.RunDirectory, request.Request]:
    """Returns a run with some variants, and what a ladder is asked for."""
    model = models.separable(folder / "float.tflite")
    np.savez(
        folder / "data.npz",
        x_train=models.examples(120)["x"],
        x_test=models.examples(40, seed=2)["x"],
    )
    spec = dataset.DataSpec(
        source=f"npz:{folder / 'data.npz'}", num_calibration=40
    )
    data = sources.load(spec)
    run = run_directory.RunDirectory.create(folder / "run", command="test")
    conversion = convert.Request(
        model=model_spec.ModelSpec(
            artifact=artifact.describe(model, format="tflite")
        ),
        data=spec,
        data_fingerprint=data.fingerprint(),
        recipes=recipe.parse_names(names, slim=False),
        reference_splits=("validation",),
    )
    fine_tuning = training.TrainingOptions()
    stages.make_variants(conversion, fine_tuning, run)
    return run, request.Request(
        conversion=conversion,
        dataset=data,
        evaluation=evaluate.Options(),
        fine_tuning=fine_tuning,
    )
