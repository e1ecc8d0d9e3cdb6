# SPDX-License-Identifier: Apache-2.0
"""A child process that reports, and ends as its arguments say."""

import json
import os
import signal
import sys
import time


def main(count: str, *rest: str) -> None:
    """Reports `count` events, then ends well, crashes, fails or hangs."""
    *end, descriptor = rest
    sys.stdout.write("child speaks\n")
    sys.stdout.flush()
    with os.fdopen(int(descriptor), "w") as events:
        for number in range(int(count)):
            event = {"count": number, "pid": os.getpid()}
            events.write(json.dumps(event) + "\n")
            events.flush()
        if end == ["crash"]:
            os.kill(os.getpid(), signal.SIGSEGV)
        if end == ["fail"]:
            raise RuntimeError("on purpose")
        if end == ["hang"]:
            time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
