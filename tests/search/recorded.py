# SPDX-License-Identifier: Apache-2.0
"""Outcomes that depend on the recipe alone, as if read from a table.

Run as `python -m tests.search.recorded JOB.json EVENT_FD`, it replays a job in
a process of its own.
"""

import json
import os
import pathlib
import sys
import zlib

from tests import factories
from tflite_opt.data import dataset
from tflite_opt.records import model_spec, search, training
from tflite_opt.search import job as job_lib
from tflite_opt.search import loop
from tflite_opt.search import space as space_lib

LIMITS = search.Limits(max_accuracy_drop=0.02, max_bytes=60_000)
TECHNIQUES = (
    "bias_correction",
    "distillation",
    "dynamic_range",
    "equalization",
    "float16",
    "float32",
    "full_integer",
    "int16x8",
    "int4",
    "mixed_precision",
    "quantization_aware_training",
    "rounding",
    "weight_only_int8",
)
_BYTES = {"full_integer": 25_000, "mixed_precision": 30_000, "float16": 50_000}


def outcome(recipe):
    name = recipe["name"]
    chance = zlib.crc32(name.encode()) / 2**32
    if chance > 0.95:
        return search.Outcome(name=name, status="failed", reason="By chance.")
    size = _BYTES.get(recipe["convert"]["technique"], 100_000)
    return search.Outcome(
        name=name,
        status="measured",
        metric=0.9,
        drop=0.03 * chance - 0.002 * len(recipe["refine"]),
        size_bytes=size + int(1000 * chance),
        gzip_bytes=size - int(9000 * chance),
        latency_ms=1 + chance,
        times_faster=(100_000 / size) * (1 + chance),
    )


def make(job):
    for recipe in job.recipes:
        yield outcome(recipe)


def plan(folder, **changes):
    baseline = search.Outcome(
        name="float32",
        status="measured",
        metric=0.9,
        drop=0.0,
        size_bytes=100_000,
        gzip_bytes=90_000,
        latency_ms=4.0,
        times_faster=1.0,
    )
    values = {
        "space": space_lib.build(TECHNIQUES),
        "baseline": search.Baseline(
            outcome=baseline, parameters=24_000, trainable=True
        ),
        "limits": LIMITS,
        "seed": 3,
        "num_trials": 18,
        "batch_size": 4,
        "job": _job(folder),
    }
    return loop.Plan(**values | changes)


def _job(folder):
    return job_lib.Job(
        model=model_spec.ModelSpec(artifact=factories.tflite()),
        data=dataset.DataSpec(source="digits"),
        data_fingerprint="f",
        versions={},
        fine_tuning=training.TrainingOptions(),
        metric="auto",
        max_accuracy_drop=LIMITS.max_accuracy_drop,
        num_workers=1,
        subset=10,
        conversion_timeout_s=1.0,
        recipes=(),
        base=folder / "base",
        work=folder / "work",
        made=folder / "made",
    )


def main(arguments, make=make):
    job = job_lib.Job.load(pathlib.Path(arguments[0]))
    with os.fdopen(int(arguments[1]), "w", buffering=1) as events:
        for found in make(job):
            events.write(json.dumps({"outcome": found.to_json()}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
