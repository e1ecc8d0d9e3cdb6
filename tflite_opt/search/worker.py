# SPDX-License-Identifier: Apache-2.0
"""The child process that carries one job of a search out.

Run as `python -m tflite_opt.search.worker JOB.json EVENT_FD`. It reports each
outcome, or an error, as one JSON object on the file descriptor.
"""

import json
import logging
import os
import pathlib
import sys

from tflite_opt import child_process
from tflite_opt.records import errors
from tflite_opt.search import job as job_lib
from tflite_opt.search import making


def main(arguments: list[str]) -> None:
    """Does what the job says."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    job = job_lib.Job.load(pathlib.Path(arguments[0]))
    with os.fdopen(int(arguments[1]), "w", buffering=1) as events:
        try:
            for outcome in making.make(job):
                events.write(json.dumps({"outcome": outcome.to_json()}) + "\n")
        except errors.TfliteOptError as error:
            events.write(json.dumps({"error": errors.to_parent(error)}) + "\n")


if __name__ == "__main__":
    child_process.end_with_parent()
    main(sys.argv[1:])
