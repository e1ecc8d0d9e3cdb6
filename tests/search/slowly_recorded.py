# SPDX-License-Identifier: Apache-2.0
"""The same as `recorded`, with time to interrupt it and traces of that."""

import pathlib
import sys
import time

from tests.search import recorded
from tflite_opt import child_process

STARTED, ENDED = "started.txt", "ended.txt"


def make(job):
    for outcome in recorded.make(job):
        _note(job, STARTED, outcome)
        time.sleep(2)
        _note(job, ENDED, outcome)
        yield outcome


def unfinished(folder: pathlib.Path) -> set[str]:
    """Returns recipes that were begun below a folder, but not ended there."""
    found = {}
    for name in (STARTED, ENDED):
        found[name] = {
            line
            for path in folder.rglob(name)
            for line in path.read_text().splitlines()
        }
    return found[STARTED] - found[ENDED]


def _note(job, name, outcome):
    job.work.parent.mkdir(parents=True, exist_ok=True)
    with (job.work.parent / name).open("a") as file:
        file.write(f"{outcome.name}\n")


if __name__ == "__main__":
    child_process.end_with_parent()
    recorded.main(sys.argv[1:], make)
