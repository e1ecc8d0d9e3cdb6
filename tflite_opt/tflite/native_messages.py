# SPDX-License-Identifier: Apache-2.0
"""What the runtime says: chatter kept out of stderr, reasons in one line.

Chatter goes to the file descriptor, where `sys.stderr` cannot filter it, and
the runtime has no setting for it. Errors are never dropped.
"""

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

_CHATTER = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
_STDERR = 2
_LOCK = threading.Lock()


@contextlib.contextmanager
def filtered() -> Iterator[None]:
    """Drops the lines that only say that XNNPACK exists.

    All other lines appear when the body is done. Only one thread at a time
    can be in the body.
    """
    with _LOCK, _captured():
        yield


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Drops all lines, unless the body fails; for one thread only."""
    with _captured() as lines:
        yield
        lines.dropped = (b"",)


class _Lines:
    """Which lines need not be shown, by how they start."""

    def __init__(self) -> None:
        self.dropped = (_CHATTER,)


@contextlib.contextmanager
def _captured() -> Iterator[_Lines]:
    """Holds stderr back until the body is done or has failed."""
    lines = _Lines()
    with contextlib.ExitStack() as stack:
        try:
            captured = stack.enter_context(tempfile.TemporaryFile())
            saved = os.dup(_STDERR)
        except OSError:
            # Without a stderr there is nothing to filter.
            yield lines
            return
        sys.stderr.flush()
        os.dup2(captured.fileno(), _STDERR)
        try:
            yield lines
        finally:
            sys.stderr.flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
            captured.seek(0)
            kept = [x for x in captured if not x.startswith(lines.dropped)]
            with contextlib.suppress(OSError):
                os.write(_STDERR, b"".join(kept))


def one_line(error: BaseException) -> str:
    """Returns an error's own message, without line ends or a final stop."""
    text = " ".join(str(error).split()) or type(error).__name__
    # The runtime joins its messages without a space.
    return re.sub(r"(?<=\S)Node number", ". Node number", text).rstrip(".")
