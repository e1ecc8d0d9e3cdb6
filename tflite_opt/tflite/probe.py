# SPDX-License-Identifier: Apache-2.0
"""Finds out in a child process whether the runtime takes a file.

Preparing a damaged or unlucky model can crash or hang the runtime; here that
is a fact about the file, never the end of the caller. Nothing is run.
"""

import json
import pathlib
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tflite_opt import child_process
from tflite_opt.records import errors, facts

_DELEGATES = ("xnnpack", "none")
_DEFAULT_TIMEOUT_S = 60.0
_GRACE_S = 5.0


def probe(
    path: pathlib.Path, timeout_s: float = _DEFAULT_TIMEOUT_S
) -> facts.Delegation:
    """Prepares a file with and without XNNPACK, in a child process.

    Args:
        path: A `.tflite`, or anything else.
        timeout_s: Longest time for both, and again for the second one if the
            first one used it up.

    Returns:
        What happened; a crash or a timeout is the text of an error.
    """
    results: dict[str, dict[str, Any]] = {}
    while len(results) < len(_DELEGATES):
        remaining = [d for d in _DELEGATES if d not in results]
        found, reason = _run_child(path, remaining, timeout_s)
        results |= found
        if len(found) < len(remaining):
            # It died of the first one it did not report; try the others.
            culprit = next(d for d in remaining if d not in found)
            results[culprit] = {"partitions": None, "error": reason}
    return facts.Delegation(
        delegate="xnnpack",
        partitions=results["xnnpack"]["partitions"],
        delegate_error=results["xnnpack"]["error"],
        builtin_error=results["none"]["error"],
    )


def _run_child(
    path: pathlib.Path, delegates: Sequence[str], timeout_s: float
) -> tuple[dict[str, dict[str, Any]], str]:
    """Returns results by delegate, and why there are no more of them."""
    command = [sys.executable, "-m", __spec__.name, str(path), str(timeout_s)]
    try:
        child = subprocess.run(
            command + list(delegates),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            env=child_process.environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return _parse(
            error.stdout or b""
        ), f"did not end within {timeout_s:g} s"
    if child.returncode < 0:
        reason = f"crashed the interpreter (signal {-child.returncode})"
    else:
        lines = child.stderr.decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        reason = f"failed with exit code {child.returncode}: {last.strip()}"
    return _parse(child.stdout), reason


def _parse(stdout: bytes) -> dict[str, dict[str, Any]]:
    results = {}
    for line in stdout.splitlines():
        try:
            result = json.loads(line)
            results[result["delegate"]] = result
        except (ValueError, TypeError, KeyError):
            # A line of the runtime's, or one that was cut off.
            continue
    return results


def _prepare(path: pathlib.Path, delegate: str) -> dict[str, Any]:
    # Only the child needs the runtime.
    from tflite_opt.tflite import interpreter

    try:
        model = interpreter.load(path, delegate=delegate)  # type: ignore
    except errors.ModelError as error:
        return {"partitions": None, "error": interpreter.reason(error)}
    return {"partitions": model.partitions, "error": ""}


def _main(arguments: Sequence[str]) -> None:
    path, timeout_s, *delegates = arguments
    # The end of the caller must not leave a child that hangs.
    signal.setitimer(signal.ITIMER_REAL, float(timeout_s) + _GRACE_S)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for delegate in delegates:
        result = _prepare(pathlib.Path(path), delegate)
        line = json.dumps({"delegate": delegate} | result)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main(sys.argv[1:])
