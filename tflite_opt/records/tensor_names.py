# SPDX-License-Identifier: Apache-2.0
"""The names that a slimmed `.tflite` no longer holds, in a file beside it."""

import dataclasses
import pathlib
import re
from collections.abc import Mapping

from tflite_opt.records import errors, files, serialization

# By index of the subgraph and index of the tensor in it.
Names = Mapping[tuple[int, int], str]

_SUFFIX = ".names.json"
_SHA256 = re.compile("[0-9a-f]{64}")
_KEY = re.compile("[0-9]+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorNames(serialization.Record):
    """Names of the tensors of one file.

    Attributes:
        sha256: Of the file whose tensors they are.
        parent_sha256: Of the file that held them.
        subgraphs: One dictionary for each subgraph up to the last one with a
            name, from tensor index (JSON has text keys only) to name.
    """

    sha256: str
    parent_sha256: str
    subgraphs: tuple[dict[str, str], ...]

    def __post_init__(self) -> None:
        """Checks hashes and indices.

        Raises:
            InputError: If one is none.
        """
        super().__post_init__()
        keys = [key for names in self.subgraphs for key in names]
        hashes = (self.sha256, self.parent_sha256)
        if not all(map(_SHA256.fullmatch, hashes)) or not all(
            map(_KEY.fullmatch, keys)
        ):
            raise errors.InputError(
                "Tensor names must have SHA-256 hashes and tensor indices. "
                f"Received: sha256={self.sha256!r}, "
                f"parent_sha256={self.parent_sha256!r}, keys={keys[:5]}."
            )

    def by_tensor(self) -> dict[tuple[int, int], str]:
        """Returns names by index of the subgraph and of the tensor."""
        return {
            (subgraph, int(tensor)): name
            for subgraph, names in enumerate(self.subgraphs)
            for tensor, name in names.items()
        }


def sidecar_path(model: pathlib.Path, sha256: str) -> pathlib.Path:
    """Returns where the names of a model file belong.

    Args:
        model: The `.tflite`; only its directory matters.
        sha256: Of the file.
    """
    return model.parent / f"{sha256}{_SUFFIX}"


def save(model: pathlib.Path, parent_sha256: str, names: Names) -> pathlib.Path:
    """Writes the names of a file's tensors beside it.

    Args:
        model: The `.tflite`, under any name.
        parent_sha256: Of the file that held the names.
        names: At least one.

    Returns:
        Where they are.

    Raises:
        OutputError: If they cannot be written.
    """
    subgraphs: list[dict[str, str]] = [
        {} for _ in range(1 + max(subgraph for subgraph, _ in names))
    ]
    for (subgraph, tensor), name in sorted(names.items()):
        subgraphs[subgraph][str(tensor)] = name
    record = TensorNames(
        sha256=files.sha256_of_file(model),
        parent_sha256=parent_sha256,
        subgraphs=tuple(subgraphs),
    )
    path = sidecar_path(model, record.sha256)
    record.save(path)
    return path


def copy(
    source: pathlib.Path, destination: pathlib.Path
) -> pathlib.Path | None:
    """Copies the names of a file to where a copy of the file is.

    Args:
        source: The `.tflite`.
        destination: Its copy.

    Returns:
        Where they are; None if there are none.

    Raises:
        InputError: If those of `source` are damaged.
        OutputError: If they cannot be written.
    """
    if not names_for(source):
        return None
    sha256 = files.sha256_of_file(source)
    path = sidecar_path(destination, sha256)
    TensorNames.load(sidecar_path(source, sha256)).save(path)
    return path


def names_for(
    model: pathlib.Path, sha256: str | None = None
) -> dict[tuple[int, int], str]:
    """Returns the names that slimming took out of a file.

    Args:
        model: The `.tflite`.
        sha256: Of the file, if it is known.

    Returns:
        By index of the subgraph and of the tensor; empty when no file with
        names is beside it.

    Raises:
        InputError: If there is one, but damaged or of another model.
    """
    sha256 = sha256 or files.sha256_of_file(model)
    path = sidecar_path(model, sha256)
    if not path.is_file():
        return {}
    record = TensorNames.load(path)
    if record.sha256 != sha256:
        raise errors.InputError(
            f"{str(path)!r} must hold the names of the file it is called "
            f"after. Received: sha256={record.sha256!r}. Delete it."
        )
    return record.by_tensor()
