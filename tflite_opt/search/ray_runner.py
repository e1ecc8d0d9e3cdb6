# SPDX-License-Identifier: Apache-2.0
"""Measures on the host of a Ray cluster that has the phone.

The host offers a resource, of which a session takes one: so sessions come one
after the other, and only where there is a phone.
"""

import dataclasses
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, files, tensor_names
from tflite_opt.records import golden as golden_record
from tflite_opt.search import cluster as cluster_lib

MakeRunner = Callable[[], benchmark.Runner]


class RayRunner:
    """Implements `records.benchmark.Runner` on another host."""

    def __init__(
        self,
        cluster: cluster_lib.Cluster,
        make_runner: MakeRunner,
        *,
        resource: str,
        timeout_s: float,
    ) -> None:
        """Asks the host who measures there.

        Args:
            cluster: Where the host is.
            make_runner: Is called there, so it must be of a module that
                travels.
            resource: What the host offers.
            timeout_s: Longest time for one session.

        Raises:
            InputError: If no host offers the resource, or its phone is of no
                use.
        """
        cluster.require(resource)
        self._cluster = cluster
        self._make_runner = make_runner
        self._resource = resource
        self._timeout_s = timeout_s
        self.identity = f"{resource} of a cluster: {self._ask(_identity)}"

    def run(
        self,
        artifacts: Sequence[artifact_record.Artifact],
        options: benchmark.RuntimeOptions,
        directory: pathlib.Path,
    ) -> list[benchmark.BenchmarkResult | benchmark.BenchmarkFailure]:
        """Measures artifacts with interleaved launches; see the protocol."""
        if not artifacts:
            return []
        sent = [
            (x.to_json(), {p.name: p.read_bytes() for p in _with_sidecars(x)})
            for x in artifacts
        ]
        answers = self._ask(_measure, sent, options.to_json())
        return [
            _received(answer, artifact, directory)
            for answer, artifact in zip(answers, artifacts, strict=True)
        ]

    def _ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        task = self._cluster.start(
            function, self._make_runner, *arguments, resource=self._resource
        )
        (found,) = self._cluster.results([task], self._timeout_s)
        if "error" in found:
            raise errors.from_child(**found["error"])
        return found["answer"]


def _with_sidecars(artifact: artifact_record.Artifact) -> list[pathlib.Path]:
    beside = [
        tensor_names.sidecar_path(artifact.path, artifact.sha256),
        golden_record.path_beside(artifact.path),
    ]
    return [artifact.path, *(path for path in beside if path.exists())]


def _received(
    answer: dict[str, Any],
    artifact: artifact_record.Artifact,
    directory: pathlib.Path,
) -> benchmark.BenchmarkResult | benchmark.BenchmarkFailure:
    if "failure" in answer:
        return benchmark.BenchmarkFailure(
            artifact=artifact, message=answer["failure"]
        )
    for name, content in answer["files"].items():
        files.write_bytes(directory / name, content)
    result = benchmark.BenchmarkResult.from_json(answer["result"], directory)
    return dataclasses.replace(result, artifact=artifact)


def _identity(make_runner: MakeRunner) -> dict[str, Any]:
    try:
        return {"answer": make_runner().identity}
    except errors.TfliteOptError as error:
        return {"error": errors.to_parent(error)}


def _measure(
    make_runner: MakeRunner,
    sent: Sequence[tuple[dict[str, Any], dict[str, bytes]]],
    options: dict[str, Any],
) -> dict[str, Any]:
    """Measures on this host.

    Returns:
        `answer`, for each artifact its `result` and `files` or its `failure`;
        or an `error`.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary).resolve()
        artifacts = [_unpacked(x, contents, folder) for x, contents in sent]
        try:
            found = make_runner().run(
                artifacts,
                benchmark.RuntimeOptions.from_json(options),
                folder / "results",
            )
        except errors.TfliteOptError as error:
            return {"error": errors.to_parent(error)}
        return {"answer": [_sent_back(x, folder / "results") for x in found]}


def _unpacked(
    description: dict[str, Any],
    contents: dict[str, bytes],
    folder: pathlib.Path,
) -> artifact_record.Artifact:
    artifact = artifact_record.Artifact.from_json(description)
    place = folder / artifact.name
    for name, content in contents.items():
        files.write_bytes(place / name, content)
    return dataclasses.replace(artifact, path=place / artifact.path.name)


def _sent_back(
    result: benchmark.BenchmarkResult | benchmark.BenchmarkFailure,
    directory: pathlib.Path,
) -> dict[str, Any]:
    if isinstance(result, benchmark.BenchmarkFailure):
        return {"failure": result.message}
    return {
        "result": result.to_json(directory),
        "files": {
            path.relative_to(directory).as_posix(): path.read_bytes()
            for path in result.evidence
        },
    }
