# SPDX-License-Identifier: Apache-2.0
"""Trains one reference model and writes it with its evidence."""

import dataclasses
import importlib.metadata
import json
import logging
import os
import pathlib
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt import child_process, intervals
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import representative, sources
from tflite_opt.keras_models import (
    freezing,
    loading,
    reference,
    saving,
    strategies,
    training,
)
from tflite_opt.records import artifact, errors, evaluation, serialization
from tflite_opt.records import training as training_record

_LOG = logging.getLogger(__name__)

_VERSIONED_PACKAGES = ("tensorflow", "tf_keras", "numpy", "scikit-learn")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(serialization.Record):
    """What to train and where to write it.

    Attributes:
        model: Name of a reference model.
        model_options: Keyword arguments of its `build`.
        data: The data set. Its seed decides which examples are for testing:
            use the same one wherever this model is evaluated.
        options: Of the training loop.
        path: Of the model, `.h5` or `.keras`.
        overwrite: Whether existing files may be replaced.
    """

    model: str
    data: dataset_lib.DataSpec
    options: training_record.TrainingOptions
    path: pathlib.Path
    model_options: dict[str, float | bool] = dataclasses.field(
        default_factory=dict
    )
    overwrite: bool = False

    @property
    def record_path(self) -> pathlib.Path:
        """Where the `TrainedModel` record goes: beside the model."""
        return record_path(self.path)

    @property
    def checkpoint_dir(self) -> pathlib.Path:
        """What a killed training goes on from; removed at the end."""
        return self.path.with_name(f"{self.path.stem}.checkpoints")


def record_path(model: pathlib.Path) -> pathlib.Path:
    """Returns where the `TrainedModel` record of a model file is."""
    return model.with_name(f"{model.stem}.training.json")


def train(request: Request) -> training_record.TrainedModel:
    """Trains a model, tests it once, and writes it and its record.

    After a kill, the same request goes on from the last epoch.

    Returns:
        The record that was written to `request.record_path`.

    Raises:
        ModelError: If there is no such model, or it cannot be built.
        DataError: If the data cannot be loaded.
        OutputError: If a file exists and may not be replaced, or cannot be
            written.
        InputError: If training diverges.
    """
    _check_output(request)
    reference.check_name(request.model)
    data = sources.load(request.data)
    training.make_reproducible(request.options.seed)
    with strategies.scope(request.options.strategy):
        model, history = _fit(request, data)
        request.record_path.unlink(missing_ok=True)
        saving.save(model, request.path)
    record = training_record.TrainedModel(
        artifact=artifact.describe(
            request.path, format="keras", produced_by="scripts.train"
        ),
        model=request.model,
        model_options=dict(request.model_options),
        dataset=data.name,
        data_seed=request.data.seed,
        data_limit=request.data.limit,
        parameters=model.count_params(),
        history=history,
        # The file is tested, not what is in memory.
        test=_test(loading.load(request.path), data["test"], history.objective),
        num_test=len(data["test"]),
        test_fingerprint=data["test"].fingerprint(),
        versions={
            name: importlib.metadata.version(name)
            for name in _VERSIONED_PACKAGES
        },
    )
    record.save(request.record_path)
    shutil.rmtree(request.checkpoint_dir, ignore_errors=True)
    return record


def _fit(
    request: Request, data: dataset_lib.Dataset
) -> tuple[Any, training_record.TrainingHistory]:
    model = build(request.model, data, request.model_options)
    if training.objective_of(model, data["train"]) == "reconstruction":
        _check_anomalies(data, request.model)
    _LOG.info(
        "Training %s with %d parameters on %d examples of %s",
        *(request.model, model.count_params(), len(data["train"]), data.name),
    )
    history = training.fit(
        *(model, data["train"], data["validation"], request.options),
        checkpoint_dir=request.checkpoint_dir,
    )
    return model, history


def build(
    name: str,
    data: dataset_lib.Dataset,
    model_options: Mapping[str, float | bool] | None = None,
) -> Any:
    """Returns an untrained reference model for a data set.

    Args:
        name: Of the model.
        data: Decides shapes, classes and the size of the vocabulary.
        model_options: Keyword arguments of its `build`.

    Raises:
        ModelError: If the data are not what it is for.
    """
    return reference.build(
        name,
        data.input_shapes,
        data.num_classes,
        _vocabulary_size(data),
        **(model_options or {}),
    )


def _check_output(request: Request) -> None:
    saving.check_suffix(request.path)
    for path in (request.path, request.record_path):
        if path.exists() and not request.overwrite:
            raise errors.OutputError(
                f"{str(path)!r} exists. Choose another path, or replace it "
                "with --overwrite."
            )


def _vocabulary_size(data: dataset_lib.Dataset) -> int | None:
    """Returns one more than the largest token id, None without token ids."""
    inputs = [
        x for split in data.splits.values() for x in split.inputs.values()
    ]
    if any(x.dtype.kind not in "iu" for x in inputs):
        return None
    return 1 + max(int(x[:].max()) for x in inputs)


def _check_anomalies(data: dataset_lib.Dataset, model: str) -> None:
    labels = set(np.unique(data["test"].class_indices()).tolist())
    trained_on = set(np.unique(data["train"].class_indices()).tolist())
    if labels != {0, 1} or trained_on != {0}:
        raise errors.DataError(
            f"{model} learns from normal examples, label 0, and is tested on "
            "how well it tells anomalies, label 1. Received: labels "
            f"{sorted(trained_on)} in train and {sorted(labels)} in test of "
            f"{data.name}. Its own data set is "
            f"{reference.default_dataset(model)}."
        )


def _test(
    model: Any,
    split: dataset_lib.Split,
    objective: training_record.Objective,
) -> evaluation.Metric:
    """Returns the top-1 accuracy, or the AUC of the reconstruction error."""
    inputs = representative.match_inputs(
        split.inputs, freezing.input_specs(model)
    )
    (outputs,) = freezing.predict(model, inputs).values()
    if objective == "reconstruction":
        (wanted,) = inputs.values()
        squares = np.square(outputs - wanted).reshape(len(split), -1)
        return intervals.auc("auc", squares.mean(axis=1), split.labels)
    correct = int(np.sum(outputs.argmax(axis=1) == split.labels))
    return intervals.accuracy("top1", correct, len(split))


def _main(arguments: Sequence[str]) -> None:
    """Trains what a file says and reports an error on a file descriptor."""
    child_process.set_up_logging()
    with os.fdopen(int(arguments[1]), "w") as events:
        try:
            train(Request.load(pathlib.Path(arguments[0])))
        except errors.TfliteOptError as error:
            events.write(json.dumps(errors.to_parent(error)) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1:])
