# SPDX-License-Identifier: Apache-2.0
"""Carries jobs out on this machine, in a process each.

A process that dies is started once more for what it left; a recipe that
kills it twice has failed.
"""

import dataclasses
import logging
import pathlib
import queue
import tempfile
from collections.abc import Iterator, Sequence

from tflite_opt import child_process, cpu_threads
from tflite_opt.records import errors, search
from tflite_opt.search import job as job_lib

_LOG = logging.getLogger(__name__)
WORKER = "tflite_opt.search.worker"


class LocalExecutor:
    """Implements `job.Executor` with processes."""

    def __init__(self, num_processes: int = 1, worker: str = WORKER) -> None:
        """Keeps the number.

        Args:
            num_processes: Jobs that are carried out at a time.
            worker: Module that carries a job out.

        Raises:
            InputError: If there would be none.
        """
        if num_processes < 1:
            raise errors.InputError(
                "`num_processes` must be at least 1. "
                f"Received: num_processes={num_processes}"
            )
        self._num_processes = num_processes
        self._worker = worker

    def make(self, jobs: Sequence[job_lib.Job]) -> Iterator[search.Outcome]:
        """Yields the outcomes as they come; see the protocol."""
        waiting: queue.SimpleQueue[job_lib.Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        threads = cpu_threads.Threads[search.Outcome]()
        for cpus in cpu_threads.shares(min(self._num_processes, len(jobs))):
            threads.start(cpus, lambda: self._serve(waiting))
        for _ in range(sum(len(job.recipes) for job in jobs)):
            yield threads.get()

    def _serve(
        self, waiting: "queue.SimpleQueue[job_lib.Job]"
    ) -> Iterator[search.Outcome]:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            yield from self._carry_out(job)

    def _carry_out(self, job: job_lib.Job) -> Iterator[search.Outcome]:
        left = job
        deaths: dict[str, int] = {}
        while left.recipes:
            try:
                for outcome in self._run_child(left):
                    yield outcome
                    left = dataclasses.replace(left, recipes=left.recipes[1:])
            except child_process.ChildError as died:
                current = left.names[0]
                _LOG.warning("%s: %s.", current, died)
                deaths[current] = deaths.get(current, 0) + 1
                if deaths[current] > 1:
                    yield search.Outcome(
                        name=current,
                        status="failed",
                        reason=f"Twice, {died}.",
                    )
                    left = dataclasses.replace(left, recipes=left.recipes[1:])

    def _run_child(self, job: job_lib.Job) -> Iterator[search.Outcome]:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "job.json"
            job.save(path)
            for event in child_process.events(
                self._worker, [str(path)], log=job.log
            ):
                if "error" in event:
                    raise errors.from_child(**event["error"])
                yield search.Outcome.from_json(event["outcome"])
