# SPDX-License-Identifier: Apache-2.0
"""A preflight's process that dies while it quantizes."""

import json
import os
import signal
import sys

from tests import preflights

if __name__ == "__main__":
    with os.fdopen(int(sys.argv[2]), "w") as stream:
        for event in (
            {"event": "step", "name": "load"},
            {"event": "keras", "content": preflights.keras().to_json()},
            {"event": "step", "name": "int8"},
        ):
            stream.write(json.dumps(event) + "\n")
        stream.flush()
        os.kill(os.getpid(), signal.SIGSEGV)
