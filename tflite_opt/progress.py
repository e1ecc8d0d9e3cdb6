# SPDX-License-Identifier: Apache-2.0
"""Progress of long work: a bar with ETA on a terminal, plain lines in CI."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_LOG = logging.getLogger(__name__)


class Progress(Protocol):
    """Something that is told how far the work is."""

    def step(self, what: str) -> None:
        """Says that one unit of work, described by `what`, starts."""
        ...


class _Lines:
    def __init__(self, title: str, total: int) -> None:
        self._title, self._total, self._done = title, total, 0

    def step(self, what: str) -> None:
        self._done += 1
        _LOG.info("%s [%d/%d] %s", self._title, self._done, self._total, what)


class _Bar:
    def __init__(self, title: str, total: int) -> None:
        from tqdm import auto

        self._bar = auto.tqdm(total=total, desc=title, leave=False)
        self._started = False

    def step(self, what: str) -> None:
        if self._started:
            self._bar.update(1)
        self._started = True
        self._bar.set_postfix_str(what)

    def close(self) -> None:
        self._bar.update(1)
        self._bar.close()


@contextmanager
def track(title: str, total: int) -> Iterator[Progress]:
    """Shows the progress of `total` units of work on stderr.

    Whoever wants no messages below warnings gets no bar either.

    Args:
        title: What is being done.
        total: Number of `step` calls to come.

    Yields:
        An object whose `step` is called at the start of each unit.
    """
    if not (sys.stderr.isatty() and _LOG.isEnabledFor(logging.INFO)):
        yield _Lines(title, total)
        return
    bar = _Bar(title, total)
    try:
        yield bar
    finally:
        bar.close()
