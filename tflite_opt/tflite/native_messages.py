# SPDX-License-Identifier: Apache-2.0
"""What native libraries say: chatter kept out of stderr, reasons in one line.

Chatter goes to the file descriptor, where `sys.stderr` cannot filter it, and
neither runtime has a setting for it: TensorFlow's logs before it reads its
own. Errors are never dropped, but for the one that there is no GPU.
"""

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

_CHATTER = re.compile(
    rb"INFO: Created TensorFlow Lite XNNPACK delegate for CPU\."
    rb"|WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|I\d{4} \d\d:\d\d:"
    rb"|To enable the following instructions: "
    rb"|E0000 .*failed call to cuInit"
)
_ANYTHING = re.compile(rb"")
_STDERR = 2
_LOCK = threading.Lock()


@contextlib.contextmanager
def filtered() -> Iterator[None]:
    """Drops the lines that only say what there is: XNNPACK, no GPU.

    All other lines appear when the body is done. Only one thread at a time
    can be in the body. `TF_CPP_MIN_LOG_LEVEL=0` asks for everything, and gets
    it.
    """
    with _LOCK, _captured():
        yield


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Drops all lines, unless the body fails; for one thread only."""
    with _captured() as lines:
        yield
        lines.dropped = _ANYTHING


class _Lines:
    """Which lines need not be shown, by how they start."""

    def __init__(self) -> None:
        self.dropped = _CHATTER


@contextlib.contextmanager
def _captured() -> Iterator[_Lines]:
    """Holds stderr back until the body is done or has failed."""
    lines = _Lines()
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        yield lines
        return
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
            kept = [x for x in captured if not lines.dropped.match(x)]
            with contextlib.suppress(OSError):
                os.write(_STDERR, b"".join(kept))


def one_line(error: BaseException) -> str:
    """Returns an error's own message, without line ends or a final stop."""
    text = " ".join(str(error).split()) or type(error).__name__
    # The runtime joins its messages without a space.
    return re.sub(r"(?<=\S)Node number", ". Node number", text).rstrip(".")
