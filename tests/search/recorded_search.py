# SPDX-License-Identifier: Apache-2.0
"""A search in a process that can be killed.

Run as `python -m tests.search.recorded_search FOLDER`.
"""

import pathlib
import sys

from tests.search import recorded
from tflite_opt.search import local_executor, loop, store

NUM_TRIALS = 8


def carry_out(folder):
    return loop.carry_out(
        recorded.plan(folder, num_trials=NUM_TRIALS),
        store.Store(folder, folder),
        local_executor.LocalExecutor(2, "tests.search.slowly_recorded"),
        lambda outcomes, session: outcomes,
    )


if __name__ == "__main__":
    carry_out(pathlib.Path(sys.argv[1]))
