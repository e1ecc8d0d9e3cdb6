# SPDX-License-Identifier: Apache-2.0
"""A worker that trains nothing: it waits for another one of its kind.

Its note says on which CPUs it ran. Where the other does not come, it fails.
"""

import json
import os
import pathlib
import sys
import time

from tflite_opt import child_process
from tflite_opt.compression import job as job_lib
from tflite_opt.records import artifact, compression
from tflite_opt.techniques import base

_TIMEOUT_S = 60.0


def main(arguments):
    job = job_lib.Job.load(pathlib.Path(arguments[0]))
    job.folder.mkdir(parents=True)
    job.model_path.write_bytes(b"model")
    sys.stdout.write("I was here.\n")
    deadline = time.monotonic() + _TIMEOUT_S
    while len(list(job.folder.parent.glob("*/model.h5"))) < 2:
        if time.monotonic() > deadline:
            raise TimeoutError("Nobody came.")
        time.sleep(0.02)
    step = compression.CompressionStep(
        technique=job.technique,
        gives=base.from_recipe(job.technique).gives,
        promises=(),
        kept=(),
        histories=(),
        notes=(json.dumps(sorted(os.sched_getaffinity(0))),),
        seconds=0.0,
    )
    compression.CompressedModel(
        artifact=artifact.describe(
            job.model_path,
            format="keras",
            name=job.folder.name,
            produced_by="a meeting",
        ),
        steps=(step,),
        output_names=("probabilities",),
        layers=(),
    ).save(job.record_path)


if __name__ == "__main__":
    child_process.end_with_parent()
    main(sys.argv[1:])
