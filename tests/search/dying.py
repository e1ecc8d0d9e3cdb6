# SPDX-License-Identifier: Apache-2.0
"""The same as `recorded`, but float16 kills the process."""

import os
import signal
import sys

from tests.search import recorded
from tflite_opt import child_process


def make(job):
    for outcome in recorded.make(job):
        if outcome.name == "float16":
            os.kill(os.getpid(), signal.SIGKILL)
        yield outcome


if __name__ == "__main__":
    child_process.end_with_parent()
    recorded.main(sys.argv[1:], make)
