# SPDX-License-Identifier: Apache-2.0
"""Runs programs as a user does: in a process of their own."""

import pathlib
import resource
import subprocess
import sys
from collections.abc import Mapping

ROOT = pathlib.Path(__file__).parents[2]


def run(
    program: str,
    *arguments: str,
    max_file_bytes: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Runs `python -m scripts.<program>` and returns what it said.

    Its environment is that of the tests, unless it is given. Writing a file
    beyond `max_file_bytes` fails in the middle, as on a disk that is full.
    """

    def limit() -> None:
        if max_file_bytes is not None:
            limits = (max_file_bytes, max_file_bytes)
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    return subprocess.run(
        [sys.executable, "-m", f"scripts.{program}", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=limit,
        env=environment,
    )


def assert_one_error_line(
    done: "subprocess.CompletedProcess[str]", *parts: str
) -> None:
    """Checks for exit code 2, one `error:` line with `parts`, no traceback."""
    lines = [x for x in done.stderr.splitlines() if x.startswith("error: ")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for part in parts:
        assert part in lines[0]
