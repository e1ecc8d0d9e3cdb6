# SPDX-License-Identifier: Apache-2.0
"""A `.tflite` file in memory, page by page as it is read.

Weights that nobody looks at are never loaded. Knows only the file's first
eight bytes.
"""

import mmap
import pathlib
import stat

from tflite_opt.records import errors

_IDENTIFIER = b"TFL3"


def map_tflite(path: pathlib.Path) -> mmap.mmap:
    """Returns the content of a file that starts like a `.tflite`.

    Raises:
        ModelError: If it is missing, unreadable or no such file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _not_tflite(path, "no regular file")
        with path.open("rb") as file:
            head = file.read(8)
            if len(head) < 8:
                raise _not_tflite(path, f"a file of {len(head)} bytes")
            if head[4:] != _IDENTIFIER:
                raise _not_tflite(path, "another kind of file")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except errors.ModelError:
        raise
    except FileNotFoundError as error:
        raise errors.ModelError(f"No model at {str(path)!r}.") from error
    except (OSError, ValueError) as error:
        # A path that cannot exist is a ValueError.
        reason = getattr(error, "strerror", None) or error
        raise errors.ModelError(
            f"Cannot read the model {str(path)!r}: {reason}."
        ) from error


def _not_tflite(path: pathlib.Path, what: str) -> errors.ModelError:
    return errors.ModelError(
        "The model must be a `.tflite` file. "
        f"Received: path={str(path)!r}, {what}. "
        "Convert models of other formats first."
    )
