# SPDX-License-Identifier: Apache-2.0
"""A child process that reports events and may crash or hang.

Knows nothing of models: it starts a module, yields its events as they come,
and makes sure that nothing of it is left behind.
"""

import contextlib
import ctypes
import io
import json
import logging
import os
import pathlib
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

_PACKAGE_ROOT = pathlib.Path(__file__).resolve().parents[1]
_PR_SET_PDEATHSIG = 1
_STDERR = 2
LOG_LEVEL = "TFLITE_OPT_LOG_LEVEL"


class ChildError(Exception):
    """The child ended before it was done; the message says how."""


def environment() -> dict[str, str]:
    """Returns the environment in which a child finds this package."""
    found = os.environ.get("PYTHONPATH")
    paths = [str(_PACKAGE_ROOT)] + ([found] if found else [])
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
    }


def set_up_logging() -> None:
    """Sends this child's messages to stderr, as many as its parent wants."""
    level = os.environ.get(LOG_LEVEL, "INFO")
    logging.basicConfig(level=level, format="%(message)s")


def end_with_parent() -> None:
    """Makes the kernel kill this child when its parent is gone, on Linux.

    A parent that is killed cannot do it itself. A crash leaves no core file.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def events(
    module: str,
    arguments: Sequence[str],
    *,
    log: pathlib.Path | None = None,
    timeout_s: float | None = None,
) -> Iterator[dict[str, Any]]:
    """Runs `python -m module *arguments FD` and yields what it reports.

    Args:
        module: Writes one JSON object a line to the file descriptor that it
            gets as its last argument.
        arguments: The others.
        log: Gets the child's stdout and stderr, appended; None lets it talk
            on this process's stderr.
        timeout_s: Longest time between two events; None for no limit.

    Yields:
        The parsed objects.

    Raises:
        ChildError: If it crashed, failed or timed out. It is dead then, with
            all processes it started.
    """
    read_end, write_end = os.pipe()
    with _talk(log) as talk:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, str(write_end)],
            stdin=subprocess.DEVNULL,
            stdout=talk,
            stderr=talk,
            pass_fds=[write_end],
            start_new_session=True,
            env=environment(),
        )
    os.close(write_end)
    try:
        with os.fdopen(read_end, "rb", buffering=0) as stream:
            yield from _read(stream, timeout_s)
        code = process.wait(timeout=timeout_s)
        if code:
            raise ChildError(_describe_exit(code, log))
    finally:
        kill_group(process)


@contextlib.contextmanager
def _talk(log: pathlib.Path | None) -> Iterator[Any]:
    if log is None:
        yield _stderr()
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        yield file


def _stderr() -> int | None:
    """Returns the file descriptor of `sys.stderr`; None without a stderr.

    A notebook's has none; then it is that of the process.
    """
    if sys.stderr is None:
        return None
    try:
        return sys.stderr.fileno()
    except io.UnsupportedOperation:
        return _STDERR


def _read(stream: Any, timeout_s: float | None) -> Iterator[dict[str, Any]]:
    pending = b""
    start = time.monotonic()
    while True:
        remaining = None
        if timeout_s is not None:
            remaining = max(start + timeout_s - time.monotonic(), 0)
        if not select.select([stream], [], [], remaining)[0]:
            raise ChildError(f"timed out after {timeout_s:g} s")
        chunk = stream.read(1 << 16)
        if not chunk:
            return
        pending += chunk
        *lines, pending = pending.split(b"\n")
        for line in lines:
            yield json.loads(line)
            start = time.monotonic()


def _describe_exit(code: int, log: pathlib.Path | None) -> str:
    if code < 0:
        return f"its process crashed with signal {-code}"
    text = log.read_text(errors="replace") if log else ""
    lines = text.strip().splitlines()
    return f"its process failed: {lines[-1] if lines else f'exit code {code}'}"


def run(
    command: Sequence[str], *, timeout_s: float
) -> "subprocess.CompletedProcess[str]":
    """Runs a program to its end and returns both of its streams.

    Raises:
        ChildError: If it takes longer than `timeout_s`. It is dead then, with
            all processes it started.
        OSError: If it cannot be started.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise ChildError(f"timed out after {timeout_s:g} s") from error
    finally:
        kill_group(process)
    return subprocess.CompletedProcess(
        command,
        process.returncode,
        stdout.decode(errors="replace"),
        stderr.decode(errors="replace"),
    )


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kills a child that leads its own session, and all it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
