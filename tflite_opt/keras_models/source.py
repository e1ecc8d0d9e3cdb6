# SPDX-License-Identifier: Apache-2.0
"""The Keras model that a run works on: taken from a file, or trained here."""

import pathlib
import tempfile

from tflite_opt import child_process
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.keras_models import (
    loading,
    reference,
    saving,
    train_reference,
)
from tflite_opt.records import artifact, errors, run_directory, training


def take_model(
    model: str | None,
    data: dataset_lib.DataSpec,
    data_fingerprint: str,
    options: training.TrainingOptions,
    run: run_directory.RunDirectory,
) -> artifact.Artifact:
    """Returns the Keras model to work on.

    Args:
        model: A file, the name of a reference model, which is trained here,
            or None for the trained sample model.
        data: What a reference model is trained on.
        data_fingerprint: Hash of all its splits.
        options: How.
        run: Gets the trained model.

    Raises:
        ModelError: If there is no such model, or training fails.
    """
    if model in reference.names():
        return _train(
            train_reference.Request(
                model=model,
                data=data,
                options=options,
                path=run.path("model", f"{model}.h5"),
                overwrite=True,
            ),
            data_fingerprint,
            run,
        )
    path = pathlib.Path(model) if model else reference.sample_model_path()
    if not path.exists() and path.suffix not in loading.SUFFIXES:
        reference.check_name(str(model))
    saving.check_suffix(path)
    found = artifact.describe(path, format="keras")
    _refuse_training_examples(found, data)
    return found


def _refuse_training_examples(
    model: artifact.Artifact, data: dataset_lib.DataSpec
) -> None:
    """Refuses a split that puts the model's training examples into others."""
    record_path = train_reference.record_path(model.path)
    if not record_path.is_file():
        return
    record = training.TrainedModel.load(record_path)
    same = record.artifact.sha256 == model.sha256
    if same and record.dataset == data.source and record.data_seed != data.seed:
        raise errors.InputError(
            f"{model.path.name} was trained on the split of --data_seed="
            f"{record.data_seed}; under another seed, examples that it was "
            "trained on are in the validation and test splits. Received: "
            f"data_seed={data.seed}."
        )


def _train(
    request: train_reference.Request,
    data_fingerprint: str,
    run: run_directory.RunDirectory,
) -> artifact.Artifact:
    """Trains a reference model in a process of its own.

    The process gives TensorFlow's memory back when it ends, and is killed
    when this one is interrupted.

    Raises:
        ModelError: If the process dies.
    """
    inputs = {
        "model": request.model,
        "model_options": request.model_options,
        "data": data_fingerprint,
        "options": request.options.to_json(),
        "versions": run_directory.package_versions(),
    }
    if not run.is_done("train", inputs):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "request.json"
            request.save(path)
            try:
                for error in child_process.events(
                    train_reference.__name__, [str(path)]
                ):
                    raise errors.from_child(**error)
            except child_process.ChildError as died:
                raise errors.ModelError(
                    f"Training {request.model} ended early: {died}. If memory "
                    "is the reason, lower --batch_size or --limit."
                ) from died
        run.finish("train", inputs, [request.path, request.record_path])
    record = training.TrainedModel.load(request.record_path)
    return record.artifact
