# SPDX-License-Identifier: Apache-2.0
"""Two Ray nodes on this machine, ended by their process ids alone."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

TOKEN = "5f" * 32
_PATIENCE_S = 120.0


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Node:
    """A node in a session of its own, with all that it starts."""

    def __init__(self, *arguments, folder):
        # Nothing of this checkout: code must travel.
        environment = {
            k: x for k, x in os.environ.items() if k != "PYTHONPATH"
        } | {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        program = pathlib.Path(sys.executable).with_name("ray")
        with (folder / "ray.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "start", "--block", "--num-cpus=1", *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self):
        """Ends the node as a power cut would."""
        for pid in _descendants(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(timeout=30)


def _descendants(root):
    """Returns a process and all below it."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                parent = int(stat.rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


class Nodes:
    """A head, and a worker that offers the resource `phone`."""

    def __init__(self, folder):
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        # Paths of sockets in it must be short.
        self._temporary = pathlib.Path(f"/tmp/ray_test_{os.getpid()}_{port}")
        self.head = Node(
            "--head",
            f"--port={port}",
            "--include-dashboard=false",
            f"--temp-dir={self._temporary}",
            folder=folder,
        )
        _wait_for_listener(port)
        self.worker = Node(
            f"--address={self.address}",
            f"--resources={json.dumps({'phone': 1})}",
            folder=folder,
        )

    def wait(self):
        """Waits until a connected client sees both."""
        # Not before: it reads the token when it is imported.
        import ray

        end = time.monotonic() + _PATIENCE_S
        while ray.cluster_resources().get("phone", 0) < 1:
            if time.monotonic() > end:
                raise TimeoutError("The worker did not join.")
            time.sleep(0.5)

    def end(self):
        self.worker.kill()
        self.head.kill()
        subprocess.run(["rm", "-rf", self._temporary], check=True)


def _wait_for_listener(port):
    end = time.monotonic() + _PATIENCE_S
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if time.monotonic() > end:
            raise TimeoutError("The head did not start.")
        time.sleep(0.5)
