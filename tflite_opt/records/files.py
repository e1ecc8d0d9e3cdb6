# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all, and their identity.

Everything the project writes goes through `atomic_path`: a temporary file in
the same directory, renamed at the end. A killed process leaves at most a file
that ends in `TEMPORARY_SUFFIX`, which no reader ever opens.
"""

import contextlib
import hashlib
import io
import json
import os
import pathlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tflite_opt.records import errors

TEMPORARY_SUFFIX = ".partial"


@contextlib.contextmanager
def atomic_path(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a temporary path that becomes `path` if the body succeeds.

    Args:
        path: The final place. Its directory is made when it does not exist.

    Yields:
        An existing empty file beside `path`, on the same file system. It is
        removed if the body raises.

    Raises:
        OutputError: If the directory cannot be written or the disk is full.
    """
    temporary: pathlib.Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX
        )
        temporary = pathlib.Path(name)
        # mkstemp creates files that only their owner can read.
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(handle, 0o666 & ~umask)
        os.close(handle)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(path)
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a temporary folder that replaces `path` if the body succeeds.

    Args:
        path: The final place; what is there is removed.

    Yields:
        An existing empty folder beside `path`. It is removed if the body
        raises.

    Raises:
        OutputError: If it cannot be written or the disk is full.
    """
    temporary: pathlib.Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = pathlib.Path(
            tempfile.mkdtemp(
                dir=path.parent,
                prefix=f".{path.name}.",
                suffix=TEMPORARY_SUFFIX,
            )
        )
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.rename(path)
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _output_error(path: pathlib.Path, error: OSError) -> errors.OutputError:
    """Returns the one-line error for a failed write to `path`."""
    return errors.OutputError(
        f"Cannot write {str(path)!r}: {error.strerror or error}. Free space "
        "or choose another output directory; nothing was left half-written."
    )


def _flush_to_disk(path: pathlib.Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_bytes(path: pathlib.Path, content: bytes) -> None:
    """Writes `content` to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: pathlib.Path, content: str) -> None:
    """Writes `content` as UTF-8 to `path`, whole or not at all."""
    write_bytes(path, content.encode())


def write_json(path: pathlib.Path, content: Any) -> None:
    """Writes `content` as indented JSON with a final newline."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_npz(path: pathlib.Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes named arrays as a compressed `.npz`.

    The same arrays always give the same bytes, so that hashes of results can
    be compared between runs.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{k: arrays[k] for k in sorted(arrays)})
    write_bytes(path, buffer.getvalue())


def read_npz(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Returns all arrays of an `.npz`, by name; objects are not unpickled.

    Raises:
        InputError: If it is missing or no `.npz` of plain arrays.
    """
    try:
        stored = np.load(path, allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile):
            raise ValueError("it holds a single array")
        with stored:
            arrays = {name: stored[name] for name in stored.files}
        foreign = [x for x, a in arrays.items() if not hasattr(a, "dtype")]
        if foreign:
            raise ValueError(f"it holds {foreign[0]!r}, which is no array")
    except (OSError, ValueError, EOFError, RuntimeError, MemoryError) as error:
        raise _unreadable_npz(path, error) from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise _unreadable_npz(path, error) from error
    return arrays


def _unreadable_npz(path: pathlib.Path, error: Exception) -> errors.InputError:
    reason = getattr(error, "strerror", None) or str(error) or "it is damaged"
    if "pickle" in reason.lower():
        reason = "it is no .npz, or one of pickled objects"
    return errors.InputError(
        "The file must be an .npz of plain arrays. "
        f"Received: path={str(path)!r}: {reason.rstrip('.')}."
    )


def sha256_of_text(text: str) -> str:
    """Returns the hexadecimal SHA-256 of `text` as UTF-8."""
    return sha256_of_bytes(text.encode())


def sha256_of_bytes(content: bytes) -> str:
    """Returns the hexadecimal SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: pathlib.Path) -> str:
    """Returns the hexadecimal SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_path(path: pathlib.Path) -> str:
    """Returns the SHA-256 of a file, or of a directory's names and files."""
    if path.is_file():
        return sha256_of_file(path)
    digest = hashlib.sha256()
    for child in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(child.relative_to(path).as_posix().encode() + b"\0")
        digest.update(sha256_of_file(child).encode())
    return digest.hexdigest()


def size_of_path(path: pathlib.Path) -> int:
    """Returns the bytes of a file, or of all files below a directory."""
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def gzip_size_of_file(path: pathlib.Path) -> int:
    """Returns the bytes of the file after gzip at level 9.

    That is about what an app store sends to a phone.
    """
    # Streamed, so that a large model does not have to fit into memory twice.
    engine = zlib.compressobj(9, zlib.DEFLATED, wbits=31)
    total = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            total += len(engine.compress(chunk))
    return total + len(engine.flush())


def sha256_of_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Returns a hash of names, shapes, dtypes and values.

    Args:
        arrays: Any shapes and dtypes but object.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.data)
    return digest.hexdigest()
