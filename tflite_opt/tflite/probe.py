# SPDX-License-Identifier: Apache-2.0
"""Finds out in a child process whether the runtime takes a file.

Preparing a damaged or unlucky model can crash or hang the runtime; here that
is a fact about the file, never the end of the caller. Nothing is run.
"""

import dataclasses
import json
import pathlib
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tflite_opt import child_process
from tflite_opt.records import delegation, errors

Shapes = Sequence[Sequence[int]]

_DELEGATES = ("xnnpack", "none")
_DEFAULT_TIMEOUT_S = 60.0
_GRACE_S = 5.0


def probe(
    path: pathlib.Path,
    timeout_s: float = _DEFAULT_TIMEOUT_S,
    *,
    input_shapes: Shapes = (),
    isolated: bool = True,
) -> delegation.Delegation:
    """Prepares a file with and without XNNPACK.

    Args:
        path: A `.tflite`, or anything else.
        timeout_s: Longest time for both, and again for the second one if the
            first one used it up.
        input_shapes: Of all inputs of the main subgraph, in their order,
            instead of the file's own.
        isolated: Whether to do it in a child process. A caller that may crash
            itself saves the time to start one.

    Returns:
        What happened; a crash or a timeout is the text of an error.
    """
    request = {"input_shapes": input_shapes}
    results: dict[str, dict[str, Any]] = {}
    if not isolated:
        results = {d: _prepare(path, d, request) for d in _DELEGATES}
    while len(results) < len(_DELEGATES):
        remaining = [d for d in _DELEGATES if d not in results]
        found, reason = _run_child(path, remaining, timeout_s, request)
        results |= found
        if len(found) < len(remaining):
            # It died of the first one it did not report; try the others.
            culprit = next(d for d in remaining if d not in found)
            results[culprit] = {"partitions": None, "error": reason}
    default, builtin = results["xnnpack"], results["none"]
    return delegation.Delegation(
        delegate="xnnpack",
        partitions=default["partitions"],
        delegate_error=default["error"],
        builtin_error=builtin["error"],
        delegated=tuple(map(tuple, default.get("delegated", ()))),
        left_out=tuple(default.get("left_out", ())),
        delegate_memory=_memory(default),
        builtin_memory=_memory(builtin),
    )


def tensor_shapes(
    path: pathlib.Path,
    input_shapes: Shapes,
    timeout_s: float = _DEFAULT_TIMEOUT_S,
) -> list[list[tuple[int, ...] | None]]:
    """Returns the shapes that tensors take on, found in a child process.

    Args:
        path: A `.tflite`.
        input_shapes: Of all inputs of the main subgraph, in their order.
        timeout_s: Longest time.

    Returns:
        By subgraph and tensor; None where a shape depends on the data.

    Raises:
        ModelError: If the builtin kernels cannot be prepared for them.
    """
    request = {"input_shapes": input_shapes, "shapes": True}
    found, reason = _run_child(path, ["none"], timeout_s, request)
    result = found.get("none", {"error": reason})
    if result["error"]:
        raise errors.ModelError(
            "The runtime must be able to prepare the model for these inputs. "
            f"Received: path={str(path)!r}, shapes={list(input_shapes)}: "
            f"{result['error']}."
        )
    return [
        [None if shape is None else tuple(shape) for shape in subgraph]
        for subgraph in result["shapes"]
    ]


def _memory(result: dict[str, Any]) -> delegation.TensorMemory | None:
    found = result.get("memory")
    return delegation.TensorMemory(**found) if found else None


def _run_child(
    path: pathlib.Path,
    delegates: Sequence[str],
    timeout_s: float,
    request: dict[str, Any],
) -> tuple[dict[str, dict[str, Any]], str]:
    """Returns results by delegate, and why there are no more of them."""
    command = [sys.executable, "-m", __spec__.name, str(path), str(timeout_s)]
    try:
        child = subprocess.run(
            [*command, *delegates, json.dumps(request)],
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


def _prepare(
    path: pathlib.Path, delegate: str, request: dict[str, Any]
) -> dict[str, Any]:
    # Whoever starts a child does not need the runtime.
    from tflite_opt.tflite import interpreter, prepared

    try:
        model = prepared.PreparedModel(
            path,
            delegate,  # type: ignore[arg-type]
            request["input_shapes"],
        )
    except errors.ModelError as error:
        return {"partitions": None, "error": interpreter.reason(error)}
    result = {
        "partitions": len(model.delegated),
        "error": "",
        "delegated": model.delegated,
        "left_out": model.left_out,
        "memory": model.memory and dataclasses.asdict(model.memory),
    }
    if request.get("shapes"):
        result["shapes"] = model.shapes()
    return result


def _main(arguments: Sequence[str]) -> None:
    path, timeout_s, *delegates, request = arguments
    # The end of the caller must not leave a child that hangs.
    signal.setitimer(signal.ITIMER_REAL, float(timeout_s) + _GRACE_S)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for delegate in delegates:
        result = _prepare(pathlib.Path(path), delegate, json.loads(request))
        line = json.dumps({"delegate": delegate} | result)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main(sys.argv[1:])
