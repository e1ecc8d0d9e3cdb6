# SPDX-License-Identifier: Apache-2.0
"""The files that a job needs on another host, in one piece.

It is known by its hash, so that a host unpacks it once. Data sets that come
with a package, from TensorFlow Datasets or from the user's own code are found
on the host itself; their fingerprints are compared there.
"""

import dataclasses
import io
import pathlib
import tarfile
from collections.abc import Iterator

from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import keras_cache
from tflite_opt.records import files
from tflite_opt.search import job as job_lib

_BASE, _MODEL, _WEIGHTS, _DATA = "base", "model", "weights", "data"
_FILE_SOURCES = ("npz", "csv", "images")


def pack(job: job_lib.Job) -> bytes:
    """Returns what a job reads, but for its recipes; the same for all jobs.

    Raises:
        OSError: If a file cannot be read.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as archive:
        for name, path in _places(job):
            archive.add(path, name, filter=_without_circumstances)
    return buffer.getvalue()


def unpack(content: bytes, folder: pathlib.Path) -> None:
    """Writes what `pack` took, unless it is there already.

    Raises:
        OutputError: If the folder cannot be written.
    """
    if folder.exists():
        return
    with (
        files.atomic_folder(folder) as temporary,
        tarfile.open(fileobj=io.BytesIO(content)) as archive,
    ):
        # Python before 3.10.12 and 3.11.4, as in Debian 12, has no filters.
        archive.extraction_filter = getattr(
            tarfile, "data_filter", lambda member, _: member
        )
        archive.extractall(temporary)


def at_home(job: job_lib.Job, folder: pathlib.Path) -> job_lib.Job:
    """Returns the job with its paths where `unpack` put them.

    Args:
        job: With paths of the host that packed.
        folder: Of the parcel; work and results go beside what it holds.
    """
    model = job.model
    if model.function is None:
        path = folder / _MODEL / model.artifact.path.name
        model = dataclasses.replace(
            model, artifact=dataclasses.replace(model.artifact, path=path)
        )
    if model.weights is not None:
        path = folder / _WEIGHTS / model.weights.name
        model = dataclasses.replace(model, weights=path)
    return dataclasses.replace(
        job,
        model=model,
        data=_data_at_home(job.data, folder),
        base=folder / _BASE,
        work=folder / "work" / job.work.name,
        made=folder / "made",
    )


def _places(job: job_lib.Job) -> Iterator[tuple[str, pathlib.Path]]:
    yield _BASE, job.base
    if job.model.function is None:
        path = job.model.artifact.path
        yield f"{_MODEL}/{path.name}", path
    if job.model.weights is not None:
        yield f"{_WEIGHTS}/{job.model.weights.name}", job.model.weights
    file = _data_file(job.data)
    if file is not None:
        yield f"{_DATA}/{file.name}", file
    cache = keras_cache.directory(job.data.data_cache)
    for name in keras_cache.files_of(job.data.source):
        yield f"{_DATA}/{name}", cache / name


def _data_file(data: dataset_lib.DataSpec) -> pathlib.Path | None:
    kind, _, argument = data.source.partition(":")
    if kind not in _FILE_SOURCES:
        return None
    return pathlib.Path(argument).expanduser()


def _data_at_home(
    data: dataset_lib.DataSpec, folder: pathlib.Path
) -> dataset_lib.DataSpec:
    file = _data_file(data)
    if file is not None:
        kind = data.source.partition(":")[0]
        source = f"{kind}:{folder / _DATA / file.name}"
        return dataclasses.replace(data, source=source)
    if keras_cache.files_of(data.source):
        return dataclasses.replace(data, data_cache=str(folder / _DATA))
    return data


def _without_circumstances(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Keeps names, contents and modes, so that equal files hash equally."""
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
