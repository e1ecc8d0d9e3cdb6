# SPDX-License-Identifier: Apache-2.0
"""The child process that applies one technique to one Keras model.

Run as `python -m tflite_opt.compression.worker JOB.json EVENT_FD`. It reports
an error as one JSON object on the file descriptor; what libraries print goes
to stderr.
"""

import json
import os
import pathlib
import shutil
import sys
import time
from typing import Any

from tflite_opt import child_process, trial_conversion
from tflite_opt.compression import job as job_lib
from tflite_opt.compression import training_energy
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import sources
from tflite_opt.keras_models import (
    fine_tuning,
    layer_support,
    layer_weights,
    loading,
    saving,
    strategies,
    trainable,
    training,
)
from tflite_opt.keras_models.channels import groups, macs
from tflite_opt.records import artifact, compression, errors
from tflite_opt.techniques import base


def main(arguments: list[str]) -> None:
    """Does what the job says."""
    child_process.set_up_logging()
    job = job_lib.Job.load(pathlib.Path(arguments[0]))
    with os.fdopen(int(arguments[1]), "w") as events:
        try:
            with strategies.scope(job.options.strategy):
                _run(job)
        except errors.TfliteOptError as error:
            events.write(json.dumps(errors.to_parent(error)) + "\n")


def _run(job: job_lib.Job) -> None:
    started, energy = time.perf_counter(), training_energy.Meter()
    technique = base.from_recipe(job.technique)
    if not isinstance(technique, base.CompressionTechnique):
        raise TypeError(type(technique).__name__)
    data = sources.load(job.data)
    training.make_reproducible(job.options.seed)
    original = trainable.open_trainable(job.model, data["validation"].inputs)
    model = _model_to_change(job, data)
    earlier = job.before.promises if job.before else ()
    found = technique.apply(
        model,
        fine_tuning.Context(
            train=data["train"],
            validation=data["validation"],
            calibration=data["calibration"],
            options=job.options,
            promises=earlier,
            teacher=original,
            distillation=technique.distillation,
            checkpoint_dir=job.checkpoint_dir,
            converter=trial_conversion.TrialConverter(data["calibration"]),
        ),
    )
    _require_same_inputs(original, found.model)
    saving.save(found.model, job.model_path)
    # The file is measured, not what is in memory.
    carried = earlier if found.carried is None else found.carried
    saved = loading.load(job.model_path)
    kept = layer_weights.measure(saved, carried + found.promises)
    for promise in kept:
        promise.require()
    if found.shrinkage is not None:
        _require_counts(saved, found.shrinkage)
    step = compression.CompressionStep(
        technique=technique.to_recipe(),
        gives=technique.gives,
        promises=found.promises,
        kept=kept,
        histories=found.histories,
        notes=found.notes,
        seconds=round(time.perf_counter() - started, 3),
        shrinkage=found.shrinkage,
        energy_kwh=energy.stop(),
    )
    before = job.before
    compression.CompressedModel(
        artifact=artifact.describe(
            job.model_path,
            format="keras",
            name=job.folder.name,
            produced_by=technique.describe(),
            parents=((before or job.model).artifact.sha256,),
        ),
        steps=(*(before.steps if before else ()), step),
        output_names=job.model.output_names or tuple(original.output_names),
        layers=tuple(path for path, _ in layer_support.walk(saved)),
    ).save(job.record_path)
    shutil.rmtree(job.checkpoint_dir, ignore_errors=True)


def _model_to_change(job: job_lib.Job, data: dataset_lib.Dataset) -> Any:
    """Returns a model that is not the teacher."""
    if job.before is not None:
        return loading.load(job.before.artifact.path)
    return trainable.open_trainable(job.model, data["validation"].inputs)


def _require_same_inputs(original: Any, found: Any) -> None:
    if list(found.input_names) != list(original.input_names):
        raise errors.VerificationError(
            "A compressed model must have the inputs of the model it was made "
            f"from, {', '.join(original.input_names)}. "
            f"Received: {', '.join(found.input_names)}."
        )


def _require_counts(saved: Any, promised: compression.Shrinkage) -> None:
    counted = macs.count(saved, groups.find(saved))
    found = counted.macs, counted.parameters
    if found != (promised.macs, promised.parameters):
        raise errors.VerificationError(
            f"The saved model must have {promised.macs} MACs and "
            f"{promised.parameters} parameters. Received: {found[0]} and "
            f"{found[1]}."
        )


if __name__ == "__main__":
    child_process.end_with_parent()
    main(sys.argv[1:])
