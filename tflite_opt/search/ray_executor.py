# SPDX-License-Identifier: Apache-2.0
"""Carries jobs out on a Ray cluster.

What a job reads travels to each host once. A job whose host is lost is done
again on another one: it writes to folders of its node only, and what it gave
comes back at its end.
"""

import pathlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from tflite_opt.records import errors, files, search
from tflite_opt.search import cluster as cluster_lib
from tflite_opt.search import job as job_lib
from tflite_opt.search import local_executor, parcel


class RayExecutor:
    """Implements `job.Executor` on a cluster."""

    def __init__(
        self,
        cluster: cluster_lib.Cluster,
        *,
        timeout_s: float,
        worker: str = local_executor.WORKER,
    ) -> None:
        """Keeps the connection.

        Args:
            cluster: Where jobs go.
            timeout_s: Longest time in which no job ends.
            worker: Module that carries a job out.
        """
        self._cluster = cluster
        self._timeout_s = timeout_s
        self._worker = worker
        self._packed: tuple[str, Any] | None = None

    def make(self, jobs: Sequence[job_lib.Job]) -> Iterator[search.Outcome]:
        """Yields the outcomes as jobs end; see the protocol."""
        if not jobs:
            return
        key, content = self._pack(jobs[0])
        tasks = [
            self._cluster.start(
                _carry_out, job.to_json(), key, content, self._worker
            )
            for job in jobs
        ]
        for found in self._cluster.results(tasks, self._timeout_s):
            if "error" in found:
                raise errors.from_child(**found["error"])
            for outcome in found["outcomes"]:
                _write(found["files"], outcome["name"], jobs[0].made)
                yield search.Outcome.from_json(outcome)

    def _pack(self, job: job_lib.Job) -> tuple[str, Any]:
        """Returns the hash of what jobs read, and a reference to it."""
        if self._packed is None:
            content = parcel.pack(job)
            key = files.sha256_of_bytes(content)
            self._packed = key, self._cluster.put(content)
        return self._packed


def _write(
    contents: dict[str, dict[str, bytes]], name: str, made: pathlib.Path
) -> None:
    if name in contents:
        with files.atomic_folder(made / name) as folder:
            for file, content in contents[name].items():
                files.write_bytes(folder / file, content)


def _carry_out(
    description: dict[str, Any], key: str, content: bytes, worker: str
) -> dict[str, Any]:
    """Does a job on a host of the cluster.

    Returns:
        `outcomes`, and `files` by recipe and name; or an `error`.
    """
    root = pathlib.Path(tempfile.gettempdir()) / "tflite_opt_search"
    # Two nodes of a host, as a lost one and its successor, share nothing.
    folder = root / cluster_lib.node() / key
    try:
        parcel.unpack(content, folder)
        job = parcel.at_home(job_lib.Job.from_json(description), folder)
        outcomes = list(local_executor.LocalExecutor(1, worker).make([job]))
    except errors.TfliteOptError as error:
        return {"error": errors.to_parent(error)}
    found = {}
    for name in job.names:
        if (job.made / name).is_dir():
            found[name] = {
                path.name: path.read_bytes()
                for path in (job.made / name).iterdir()
            }
            shutil.rmtree(job.made / name)
    return {"outcomes": [x.to_json() for x in outcomes], "files": found}
