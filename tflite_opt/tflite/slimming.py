# SPDX-License-Identifier: Apache-2.0
"""Makes a `.tflite` smaller without changing what it computes.

Equal vectors and tables are stored once, and what no inference reads is left
out: names inside the graph, records of the conversion, ranges that became
scales, empty lists, values that are the default. Latency stays the same.
`slimming_check` proves it, in a process of its own.
"""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.records import errors, files, tensor_names
from tflite_opt.tflite import (
    appended,
    flatbuffer,
    slim_copy,
    slimming_check,
)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Slimmed:
    """A smaller file and what became of the rest.

    Attributes:
        content: The new file; the original when `unchanged_because` is set.
        original_bytes: Size of the original.
        saved_bytes: By what was saved. The sum is the difference in size.
        dropped_names: Names of tensors that `content` does not hold.
        unchanged_because: Why nothing was done; "" if something was.
    """

    content: bytes
    original_bytes: int
    saved_bytes: dict[str, int]
    dropped_names: dict[tuple[int, int], str]
    unchanged_because: str = ""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class SlimmedFile:
    """What `slim_file` wrote.

    Attributes:
        slimmed: The content and what became of the rest.
        check: How far it is proven; None if nothing changed or was run.
        names_path: Where the names are that the file does not hold; None if
            it holds them all.
    """

    slimmed: Slimmed
    check: slimming_check.Check | None
    names_path: pathlib.Path | None

    def describe(self) -> str:
        """Returns one sentence."""
        slimmed = self.slimmed
        if slimmed.unchanged_because:
            return f"Not slimmed: {slimmed.unchanged_because}."
        sentence = (
            f"Slimmed from {slimmed.original_bytes:,} to "
            f"{len(slimmed.content):,} bytes"
        )
        return (
            f"{sentence}; {self.check.describe() if self.check else 'not run'}."
        )


def slim(path: pathlib.Path) -> Slimmed:
    """Returns a smaller file of the same model.

    Indices of tensors and the order of operations stay the same. The original
    is returned when it holds something that cannot be moved safely, or would
    not become smaller; doing it twice changes nothing.

    Args:
        path: A `.tflite`, from wherever.

    Raises:
        ModelError: If it is missing, unreadable, or not a valid `.tflite`.
    """
    model = flatbuffer.read(path)
    size = len(model.content)
    try:
        with flatbuffer.refusing_damage(path):
            content, copy = _rewrite(model)
    except appended.UnknownContentError as error:
        return _unchanged(model, str(error))
    except MemoryError as error:
        raise errors.ModelError(
            "The model must fit into memory twice. "
            f"Received: path={str(path)!r}, bytes={size}."
        ) from error
    if len(content) >= size:
        return _unchanged(model, "it would not become smaller")
    saved = dict(copy.saved_bytes)
    saved["layout"] = size - len(content) - sum(saved.values())
    return Slimmed(
        content=content,
        original_bytes=size,
        saved_bytes=saved,
        dropped_names=copy.dropped_names,
    )


def slim_file(
    source: pathlib.Path,
    destination: pathlib.Path,
    inputs: Mapping[str, np.ndarray] | None = None,
    *,
    verify: bool = True,
    isolated: bool = True,
) -> SlimmedFile:
    """Writes a smaller file of the same model, and its names beside it.

    Names that slimming took out of `source` before are beside `destination`
    too.

    Args:
        source: A `.tflite`, from wherever.
        destination: Written whole or not at all.
        inputs: As for `slimming_check.verify_slimming`.
        verify: Whether to run both files before `destination` appears.
        isolated: Whether to run them in a child process.

    Raises:
        ModelError: If `source` is no valid `.tflite`.
        VerificationError: If the files are not the same model.
        OutputError: If something cannot be written.
    """
    slimmed = slim(source)
    check = None
    with files.atomic_path(destination) as unverified:
        unverified.write_bytes(slimmed.content)
        if slimmed.unchanged_because:
            names_path = tensor_names.copy(source, unverified)
        else:
            if verify:
                check = slimming_check.verify_slimming(
                    source, unverified, inputs, isolated=isolated
                )
            names_path = _save_names(source, unverified, slimmed)
    return SlimmedFile(slimmed=slimmed, check=check, names_path=names_path)


def _save_names(
    source: pathlib.Path, destination: pathlib.Path, slimmed: Slimmed
) -> pathlib.Path | None:
    parent = files.sha256_of_file(source)
    names = tensor_names.names_for(source, parent) | slimmed.dropped_names
    return tensor_names.save(destination, parent, names) if names else None


def _unchanged(model: flatbuffer.Model, reason: str) -> Slimmed:
    return Slimmed(
        content=model.content[:],
        original_bytes=len(model.content),
        saved_bytes={},
        dropped_names={},
        unchanged_because=reason,
    )


def _rewrite(model: flatbuffer.Model) -> tuple[bytes, slim_copy.SlimCopy]:
    """Returns the new file and how it came about.

    Raises:
        FormatError: If the file is damaged.
        UnknownContentError: If it must be left as it is.
    """
    copy = slim_copy.SlimCopy(model)
    whole = memoryview(model.content)
    archive = appended.known_zip(whole, copy.regions)
    content = copy.write()
    if copy.outside:
        # Only numbers differ the second time, not where they are.
        copy = slim_copy.SlimCopy(model, _aligned(len(content)))
        content = copy.write()
        for start, end in copy.outside:
            content += bytes(_aligned(len(content)) - len(content))
            content += whole[start:end]
    if archive is not None:
        content += archive.moved(len(content))
    return bytes(content), copy


def _aligned(position: int) -> int:
    align = slim_copy.CONSTANT_ALIGN
    return -(-position // align) * align
