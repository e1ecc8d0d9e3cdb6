# SPDX-License-Identifier: Apache-2.0
"""Trains a reference model once and freezes it, for studies of quantization."""

import dataclasses
import pathlib

import numpy as np

from tflite_opt import recipe as recipe_lib
from tflite_opt import stages
from tflite_opt.conversion import context as context_lib
from tflite_opt.conversion import convert, job
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import representative, sources
from tflite_opt.keras_models import reference, source
from tflite_opt.records import run_directory, training
from tflite_opt.tflite import facts as facts_reader


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What is trained.

    Attributes:
        model: Name of a reference model.
        model_options: Of its `build`.
        data: What it is trained on.
        training: How.
        work_dir: A run directory; what is done there is not done again.
    """

    model: str
    model_options: dict[str, float | bool]
    data: dataset_lib.DataSpec
    training: training.TrainingOptions
    work_dir: pathlib.Path


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Trained:
    """A float `.tflite` and what it takes to quantize and to judge it.

    Attributes:
        context: What conversions start from, with calibration data.
        inputs: Of the test split, by the model's names, shape (n, ...).
        test: The test split itself.
    """

    context: context_lib.FrozenModel
    inputs: dict[str, np.ndarray]
    test: dataset_lib.Split

    def first_inputs(self, count: int) -> dict[str, np.ndarray]:
        """Returns the inputs of the first examples.

        Args:
            count: How many at most.
        """
        return {name: x[:count] for name, x in self.inputs.items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnData:
    """How reference models are trained, each on its own data set.

    Attributes:
        training: Of each model.
        work_dir: Has a folder for each model.
        limit: At most this many examples of each split; 0 for all.
    """

    training: training.TrainingOptions
    work_dir: pathlib.Path
    limit: int = 0

    def train(self, name: str, command: str) -> Trained:
        """Returns a trained model; see `train`."""
        return train(
            Setup(
                model=name,
                model_options={},
                data=dataset_lib.DataSpec(
                    source=reference.default_dataset(name), limit=self.limit
                ),
                training=self.training,
                work_dir=self.work_dir / name,
            ),
            command,
        )


def train(setup: Setup, command: str) -> Trained:
    """Returns the trained model; a finished training is kept.

    Args:
        setup: What to train.
        command: Goes into the run's manifest.

    Raises:
        ModelError: If training fails.
        ConversionError: If the model cannot be converted.
    """
    run = run_directory.RunDirectory.create(
        setup.work_dir, command=command, resume=setup.work_dir.exists()
    )
    data = sources.load(setup.data)
    fingerprint = data.fingerprint()
    choice = source.Choice(model=setup.model, model_options=setup.model_options)
    model = source.take_model(
        choice, setup.data, fingerprint, setup.training, run
    )
    stages.make_variants(
        convert.Request(
            model=model,
            data=setup.data,
            data_fingerprint=fingerprint,
            recipes=recipe_lib.parse_names(["float32"]),
        ),
        setup.training,
        run,
    )
    layout = job.Layout(root=run.root)
    facts = facts_reader.read_facts(layout.float_model, delegation=False)
    specs = facts.signatures[0].inputs
    return Trained(
        context=context_lib.FrozenModel(
            layout.float_model,
            facts,
            layout.saved_model,
            representative.representative_samples(data["calibration"], specs),
        ),
        inputs={
            name: np.asarray(x[:])
            for name, x in representative.match_inputs(
                data["test"].inputs, specs
            ).items()
        },
        test=data["test"],
    )
