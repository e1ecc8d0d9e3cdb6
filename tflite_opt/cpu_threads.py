# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for child processes, each on its share of the CPUs.

Small networks hardly train faster on all CPUs than on some of them.
"""

import functools
import os
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

_T = TypeVar("_T")


def shares(count: int) -> list[list[int]]:
    """Divides this thread's CPUs among processes that run at a time.

    Args:
        count: Number of processes; at least 1.

    Returns:
        Indices of the CPUs of each; all of them where there are too few.
    """
    cpus = sorted(os.sched_getaffinity(0))
    return [cpus[i::count] or cpus for i in range(count)]


class Threads(Generic[_T]):
    """Starts work, and hands over what it yields in the order it comes."""

    def __init__(self) -> None:
        self._found: queue.SimpleQueue[_T | BaseException] = queue.SimpleQueue()

    def start(
        self, cpus: Sequence[int], work: Callable[[], Iterable[_T]]
    ) -> None:
        """Starts work on some CPUs.

        It ends with the program, and so do the processes that it started.

        Args:
            cpus: Their indices.
            work: Starts and awaits processes; yields what `get` returns.
        """
        target = functools.partial(self.run, cpus, work)
        threading.Thread(target=target, daemon=True).start()

    def run(
        self, cpus: Sequence[int], work: Callable[[], Iterable[_T]]
    ) -> None:
        """Does the same in this thread."""
        try:
            # Of this thread, and so of the processes that it starts.
            os.sched_setaffinity(0, cpus)
            for found in work():
                self._found.put(found)
        # Whatever it is, it belongs to the thread that waits.
        except BaseException as error:
            self._found.put(error)

    def get(self) -> _T:
        """Waits for what some work yields next, or raises what it raised."""
        found = self._found.get()
        if isinstance(found, BaseException):
            raise found
        return found
