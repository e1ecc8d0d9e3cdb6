# SPDX-License-Identifier: Apache-2.0
"""Folders that take long to fill and that all test processes read."""

import fcntl
import os
import pathlib
import shutil
from collections.abc import Callable

import pytest


def made_once(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    make: Callable[[pathlib.Path], object],
) -> pathlib.Path:
    """Returns a folder that the first process to need it makes.

    Args:
        tmp_path_factory: Of this process.
        name: Of the folder.
        make: Fills it; gets its path.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, finished = base / name, base / f"{name}.finished"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder
