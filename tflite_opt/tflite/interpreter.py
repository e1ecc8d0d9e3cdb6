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
from typing import TypeVar

import numpy as np

from tflite_opt.records import benchmark, errors
from tflite_opt.tflite import flatbuffer, loaded_model, native_messages

_T = TypeVar("_T")


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
    model = load(path, delegate=delegate, num_threads=num_threads)
    parts = map_batches(
        model,
        inputs,
        lambda begin, rows, raw: raw,
        num_workers=num_workers,
        batch_size=batch_size,
        progress=progress,
    )
    return model.to_real(model.join(parts))


def map_batches(
    model: loaded_model.LoadedModel,
    inputs: loaded_model.Arrays,
    function: Callable[[int, loaded_model.Arrays, dict[str, np.ndarray]], _T],
    *,
    num_workers: int = 1,
    batch_size: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[_T]:
    """Runs all examples and keeps of each batch only what a function returns.

    Args:
        model: Prepared, and used by this call alone.
        inputs: As for `LoadedModel.run`; only sliced, batch by batch.
        function: Gets the number of the first example of a batch, its inputs
            and its outputs by name, in the model's own dtypes; called by
            several threads at once.
        num_workers: As for `predict`.
        batch_size: As for `LoadedModel.run`.
        progress: As for `predict`.

    Returns:
        What the function returned, in the order of the examples.

    Raises:
        DataError: If the inputs do not fit the model.
        ModelError: If the runtime cannot run the model.
    """
    if num_workers < 1:
        raise errors.InputError(
            "`num_workers` must be at least 1. "
            f"Received: num_workers={num_workers}"
        )
    ranges = model.plan(inputs, batch_size)
    workers = [model]
    while len(workers) < min(num_workers, len(ranges)):
        workers.append(model.duplicate())
    # Contiguous shares of the same batches one worker would run.
    bounds = [len(ranges) * i // len(workers) for i in range(len(workers) + 1)]
    lock, stop = threading.Lock(), threading.Event()

    def work(i: int) -> list[_T]:
        parts = []
        for begin, end in ranges[bounds[i] : bounds[i + 1]]:
            if stop.is_set():
                break
            rows = {name: array[begin:end] for name, array in inputs.items()}
            raw = workers[i].run_range(rows, 0, end - begin)
            parts.append(function(begin, rows, raw))
            if progress is not None:
                with lock:
                    progress(end - begin)
        return parts

    with futures.ThreadPoolExecutor(len(workers)) as pool:
        try:
            shares = list(pool.map(work, range(len(workers))))
        finally:
            stop.set()
    return [part for share in shares for part in share]


def reason(error: errors.ModelError) -> str:
    """Returns what the runtime or the reader said, in one line."""
    return native_messages.one_line(error.__cause__ or error)
