# SPDX-License-Identifier: Apache-2.0
"""The same as `recorded`, but the reason is on which CPUs it ran."""

import dataclasses
import json
import os
import sys

from tests.search import recorded


def make(job):
    cpus = json.dumps(sorted(os.sched_getaffinity(0)))
    for outcome in recorded.make(job):
        yield dataclasses.replace(outcome, reason=cpus)


if __name__ == "__main__":
    recorded.main(sys.argv[1:], make)
