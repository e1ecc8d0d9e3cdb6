# SPDX-License-Identifier: Apache-2.0
"""A data set that the user keeps in one `.npz` file."""

import pathlib
import zipfile
import zlib

import numpy as np

from tflite_opt.data import dataset, keyed_arrays, parts
from tflite_opt.records import errors

FORMS = ("npz:FILE",)
OPTIONS = ()


def load(argument: str, spec: dataset.DataSpec) -> dataset.Dataset:
    """Reads the parts that the file has and splits them.

    Args:
        argument: Path of an `.npz` with the keys of `keyed_arrays`; others are
            ignored. Pickled objects are refused.
        spec: Of the splits.

    Raises:
        DataError: If the file cannot be read, or an array is missing or
            breaks a rule.
    """
    path = pathlib.Path(argument).expanduser()
    where = repr(str(path))
    source = parts.Source(
        name=f"npz:{path.name}",
        where=where,
        parts=_read(path, where),
    )
    return parts.to_dataset(source, spec)


def _read(path: pathlib.Path, where: str) -> dict[str, parts.Part]:
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise errors.DataError(
                f"{str(path)!r} holds a single array. Write the data set "
                "with numpy.savez."
            )
        with archive:
            # Reads one array after the other, and only those of known keys.
            return keyed_arrays.to_parts(archive, where)
    except FileNotFoundError as error:
        raise errors.DataError(f"No data set at {str(path)!r}.") from error
    except errors.DataError:
        raise
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise _unreadable(path, error) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: pathlib.Path, error: Exception) -> errors.DataError:
    reason = getattr(error, "strerror", None) or str(error) or "it is empty"
    if "pickle" in reason.lower():
        reason = "it is not an .npz of plain arrays; objects are not unpickled"
    return errors.DataError(
        f"Cannot read the data set {str(path)!r}: {reason.rstrip('.')}. Write "
        "it with numpy.savez from arrays of numbers."
    )
