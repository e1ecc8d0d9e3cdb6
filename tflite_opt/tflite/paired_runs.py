# SPDX-License-Identifier: Apache-2.0
"""Runs two `.tflite` files on the same inputs, in a child process.

A file from anywhere may crash the runtime; here that is a result. Results are
hashes of raw outputs: whether two files agree bit by bit, not by how much.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import resource
import signal
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt import child_process
from tflite_opt.records import errors, files

Arrays = Mapping[str, np.ndarray]

DELEGATES = ("xnnpack", "none")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What one file did with one resolver.

    Attributes:
        error: Why it could not be prepared, or how it crashed; else "".
        refusal: Why it could not be run on the inputs; else "".
        unfit: How the inputs do not fit the model; else "".
        partitions: Number of delegate nodes in the main graph.
        outputs: Hash of all raw outputs, or of the refusal.
    """

    error: str = ""
    refusal: str = ""
    unfit: str = ""
    partitions: int | None = None
    outputs: str = ""


class PairedRuns:
    """Results by delegate and position of the file."""

    def __init__(
        self,
        paths: tuple[pathlib.Path, pathlib.Path],
        inputs: Arrays | None,
        folder: pathlib.Path,
        timeout_s: float,
        isolated: bool,
    ) -> None:
        """Runs nothing yet.

        Args:
            paths: The two files.
            inputs: Examples for the main graph, as for `LoadedModel.run`. None
                takes seeded values of each input's dtype, for all signatures.
            folder: For temporary files.
            timeout_s: Longest time for one file with one delegate.
            isolated: Whether to run in a child process. A caller that may
                crash itself saves the time to start one.
        """
        self._paths, self._inputs, self._isolated = paths, inputs, isolated
        self._arguments = [str(path) for path in paths]
        self._arguments.append("")
        if inputs is not None and isolated:
            self._arguments[-1] = str(folder / "inputs.npz")
            np.savez(self._arguments[-1], **inputs)
        self._log = folder / "log"
        self._timeout_s = timeout_s
        self._results: dict[tuple[str, int], Result] = {}

    def forget(self) -> None:
        """Makes the next `result` run again."""
        self._results.clear()

    def result(self, delegate: str, file: int) -> Result:
        """Returns a result; a crash or timeout is the text of its error.

        Args:
            delegate: One of `DELEGATES`.
            file: 0 or 1.

        Raises:
            DataError: If the inputs do not fit the model.
        """
        # One child for what is left; another one if that one dies.
        while (delegate, file) not in self._results:
            left = [
                item
                for item in ((d, f) for d in DELEGATES for f in (0, 1))
                if item not in self._results
            ]
            try:
                if self._isolated:
                    self._start_child(left)
                else:
                    self._measure_here(left)
            except child_process.ChildError as error:
                culprit = next(i for i in left if i not in self._results)
                self._results[culprit] = Result(error=str(error))
        result = self._results[delegate, file]
        if result.unfit:
            raise errors.DataError(result.unfit)
        return result

    def _measure_here(self, items: Sequence[tuple[str, int]]) -> None:
        for delegate, file in items:
            self._results[delegate, file] = _measure(
                self._paths[file], delegate, self._inputs
            )

    def _start_child(self, items: Sequence[tuple[str, int]]) -> None:
        arguments = [*self._arguments, str(self._timeout_s * len(items))]
        arguments += [f"{delegate}:{file}" for delegate, file in items]
        events = child_process.events(
            __spec__.name,
            arguments,
            log=self._log,
            timeout_s=self._timeout_s,
        )
        # The child works through the items in their order.
        for item, event in zip(items, events, strict=True):
            self._results[item] = Result(**event)


def _measure(
    path: pathlib.Path, delegate: str, inputs: Arrays | None
) -> Result:
    """Runs one file with one delegate, in this process."""
    # Whoever starts a child does not need the runtime.
    from tflite_opt.tflite import interpreter, seeded_runs

    try:
        model = interpreter.load(path, delegate=delegate)  # type: ignore
    except errors.ModelError as error:
        return Result(error=interpreter.reason(error))
    if inputs is not None:
        try:
            outputs = files.sha256_of_arrays(model.run_raw(inputs, 1))
            return Result(partitions=model.partitions, outputs=outputs)
        except errors.DataError as error:
            return Result(unfit=str(error))
        except errors.ModelError:
            # Not made for one example after the other.
            pass
    digest = hashlib.sha256()
    refusal = ""
    try:
        seeded_runs.update_digest(digest, path, delegate)
    except errors.ModelError as error:
        refusal = interpreter.reason(error)
        digest.update(refusal.encode())
    return Result(
        refusal=refusal,
        partitions=model.partitions,
        outputs=digest.hexdigest(),
    )


def _main(arguments: Sequence[str]) -> None:
    *paths, inputs_path, limit_s = arguments[:4]
    # The end of the caller must not leave a child that hangs.
    signal.setitimer(signal.ITIMER_REAL, float(limit_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    inputs = dict(np.load(inputs_path)) if inputs_path else None
    with os.fdopen(int(arguments[-1]), "w") as events:
        for item in arguments[4:-1]:
            delegate, file = item.split(":")
            path = pathlib.Path(paths[int(file)])
            result = dataclasses.asdict(_measure(path, delegate, inputs))
            events.write(json.dumps(result) + "\n")
            events.flush()


if __name__ == "__main__":
    _main(sys.argv[1:])
