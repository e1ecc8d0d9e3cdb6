# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201
"""Runs emulated phones until Ctrl-C, with an adb server of their own.

python -m tests.emulated_device --phones=2
"""

import argparse
import pathlib
import signal
import tempfile
import time

from tests.emulated_device import adb_server, fixtures, programs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--phones", type=int, default=1, help="how many, of both kinds in turn"
    )
    parser.add_argument(
        "--bytes_per_s", type=float, help="of a push; USB 2 has about 40e6"
    )
    arguments = parser.parse_args()
    # Ends the phones' processes in either case, in the background of a shell,
    # which has Ctrl-C ignored, too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with (
            adb_server.AdbServer(folder) as adb,
            fixtures.running(adb, folder / "phones", arguments.phones) as made,
        ):
            print(f"export ANDROID_ADB_SERVER_PORT={adb.port}")
            for found in made.phones:
                if arguments.bytes_per_s:
                    found.faults.slow_push(arguments.bytes_per_s)
                print(f"# {found.serial}: {found.model}")
            for path in programs.write_all(folder / "programs"):
                print(f"# push and run: {path}")
            try:
                print("# Copy the first line to another shell. Ctrl-C ends.")
                while True:
                    time.sleep(1)
            except KeyboardInterrupt:
                print("# ended")


if __name__ == "__main__":
    main()
