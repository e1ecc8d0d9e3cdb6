# SPDX-License-Identifier: Apache-2.0
"""A model file with its identity, size and origin."""

import dataclasses
import pathlib
from typing import Literal

from tflite_opt.records import errors, files, serialization

ArtifactFormat = Literal[
    "keras", "saved_model", "tflite", "pytorch", "function"
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Artifact(serialization.Record):
    """One model on disk.

    Attributes:
        name: What tables call it: the recipe's name, or the file's stem.
        path: Absolute path of the file, or of a SavedModel directory. Of a
            function, the module that defines it.
        format: What kind of file it is.
        sha256: Of the file's bytes; of all files for a directory.
        size_bytes: Of the real file.
        gzip_bytes: After gzip at level 9; None for directories.
        produced_by: The technique, its back end and its fields as text.
        parents: SHA-256 of each file it was made from.
        warnings: One sentence each, for the report.
    """

    name: str
    path: pathlib.Path
    format: ArtifactFormat
    sha256: str
    size_bytes: int
    gzip_bytes: int | None = None
    produced_by: str = ""
    parents: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def describe(
    path: pathlib.Path,
    *,
    format: ArtifactFormat,
    name: str | None = None,
    produced_by: str = "",
    parents: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Artifact:
    """Returns the record of a model that exists on disk.

    Raises:
        ModelError: If there is nothing at `path` or it cannot be read.
    """
    path = path.expanduser().resolve()
    if not path.exists():
        raise errors.ModelError(f"No model at {str(path)!r}.")
    try:
        return Artifact(
            name=name or path.stem,
            path=path,
            format=format,
            sha256=files.sha256_of_path(path),
            size_bytes=files.size_of_path(path),
            gzip_bytes=(
                files.gzip_size_of_file(path) if path.is_file() else None
            ),
            produced_by=produced_by,
            parents=parents,
            warnings=warnings,
        )
    except OSError as error:
        raise errors.ModelError(
            f"Cannot read the model {str(path)!r}: {error.strerror}."
        ) from error
