# SPDX-License-Identifier: Apache-2.0
"""Files of a folder or of a `.zip`, by their paths inside it."""

import io
import os
import pathlib
import threading
import zipfile
import zlib
from typing import IO, Protocol

from tflite_opt.records import errors

# What desktop systems leave behind, in archives above all.
_LEFTOVERS = ("__MACOSX",)


class FileTree(Protocol):
    """Named files."""

    def names(self) -> list[str]:
        """Returns the paths of all files, sorted, with forward slashes.

        Without hidden ones, and those in hidden folders.
        """

    def open(self, name: str) -> IO[bytes]:
        """Returns a file to read; several threads may have some open.

        Raises:
            OSError: If it cannot be read or is damaged.
        """


def open_tree(path: pathlib.Path) -> FileTree:
    """Returns the files of a folder, or of a `.zip` without unpacking it.

    Raises:
        DataError: If it is neither.
    """
    if path.is_dir():
        return _Folder(path)
    try:
        return _Archive(path)
    except FileNotFoundError as error:
        raise errors.DataError(f"No data set at {str(path)!r}.") from error
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise errors.DataError(
            "Images must be in a folder or a .zip. "
            f"Received: {str(path)!r}: {reason}."
        ) from error


class _Folder:
    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        found = []
        # Class folders may be links to those of another data set.
        for folder, _, files in os.walk(self._path, followlinks=True):
            inside = pathlib.Path(folder).relative_to(self._path)
            found += [(inside / file).as_posix() for file in files]
        return sorted(filter(_is_shown, found))

    def open(self, name: str) -> IO[bytes]:
        return (self._path / name).open("rb")


class _Archive:
    def __init__(self, path: pathlib.Path) -> None:
        self._archive = zipfile.ZipFile(path)
        # The archive counts its readers without one.
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        return sorted(
            info.filename
            for info in self._archive.infolist()
            if not info.is_dir() and _is_shown(info.filename)
        )

    def open(self, name: str) -> IO[bytes]:
        try:
            with self._lock:
                return io.BytesIO(self._archive.read(name))
        # What encrypted and damaged members end in.
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
        ) as error:
            raise OSError(str(error)) from error


def _is_shown(name: str) -> bool:
    return not any(
        part.startswith(".") or part in _LEFTOVERS for part in name.split("/")
    )
