# SPDX-License-Identifier: Apache-2.0
"""Loads `.tflite` files and runs them on arrays of examples.

Owns the choice of delegate and the sharing of examples among workers; one
interpreter is `loaded_model`'s. A file that crashes the runtime takes this
process with it; `probe` finds out beforehand.
"""

import pathlib
import threading
from collections.abc import Callable
from concurrent import futures

import numpy as np

from tflite_opt.records import benchmark, errors
from tflite_opt.tflite import flatbuffer, loaded_model, native_messages


def load(
    path: pathlib.Path,
    *,
    delegate: benchmark.Delegate = "xnnpack",
    num_threads: int = 1,
) -> loaded_model.LoadedModel:
    """Prepares a file for inference.

    Args:
        path: A `.tflite`.
        delegate: `xnnpack`, or `none` for the builtin kernels.
        num_threads: Threads of the interpreter, at least 1.

    Raises:
        ModelError: If it is no valid `.tflite`, or the runtime cannot prepare
            it, with the runtime's reason.
    """
    # What is not even a flatbuffer must not reach the runtime.
    flatbuffer.read(path)
    return loaded_model.LoadedModel(path, delegate, num_threads)


def predict(
    path: pathlib.Path,
    inputs: loaded_model.Inputs,
    *,
    delegate: benchmark.Delegate = "xnnpack",
    num_threads: int = 1,
    num_workers: int = 1,
    batch_size: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, np.ndarray]:
    """Runs all examples, in several threads if asked for.

    Args:
        path: A `.tflite`.
        inputs: As for `LoadedModel.run`.
        delegate: `xnnpack`, or `none` for the builtin kernels.
        num_threads: Threads of each interpreter, at least 1.
        num_workers: Interpreters that share the examples, at least 1. The
            result does not depend on it.
        batch_size: As for `LoadedModel.run`.
        progress: Told how many more examples are done; never by two threads
            at once.

    Returns:
        As `LoadedModel.run`.

    Raises:
        DataError: If the inputs do not fit the model.
        ModelError: If the runtime cannot prepare or run the model.
    """
    if num_workers < 1:
        raise errors.InputError(
            "`num_workers` must be at least 1. "
            f"Received: num_workers={num_workers}"
        )
    first = load(path, delegate=delegate, num_threads=num_threads)
    ranges = first.plan(inputs, batch_size)
    workers = [first]
    while len(workers) < min(num_workers, len(ranges)):
        workers.append(first.duplicate())
    # Contiguous shares of the same batches one worker would run.
    bounds = [len(ranges) * i // len(workers) for i in range(len(workers) + 1)]
    lock, stop = threading.Lock(), threading.Event()

    def work(i: int) -> list[dict[str, np.ndarray]]:
        parts = []
        for begin, end in ranges[bounds[i] : bounds[i + 1]]:
            if stop.is_set():
                break
            parts.append(workers[i].run_range(inputs, begin, end))
            if progress is not None:
                with lock:
                    progress(end - begin)
        return parts

    with futures.ThreadPoolExecutor(len(workers)) as pool:
        try:
            shares = list(pool.map(work, range(len(workers))))
        finally:
            stop.set()
    return first.to_real(first.join([p for share in shares for p in share]))


def reason(error: errors.ModelError) -> str:
    """Returns what the runtime or the reader said, in one line."""
    return native_messages.one_line(error.__cause__ or error)
