# SPDX-License-Identifier: Apache-2.0
"""Functions of the user's own, named as `package.module:function`.

What they raise is told apart from errors of this project: their traceback is
logged, marked as theirs, and the command still ends with one line.
"""

import contextlib
import importlib
import importlib.util
import logging
import pathlib
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from tflite_opt.records import errors

_LOG = logging.getLogger(__name__)


def load(reference: str) -> Callable[..., Any]:
    """Imports a function, from the current directory too.

    Args:
        reference: As `package.module:function`.

    Raises:
        InputError: If there is no such module or function.
        UserCodeError: If the module raises while it is imported.
    """
    module_name, _, name = reference.partition(":")
    parts = [*module_name.split("."), name]
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise errors.InputError(
            "A function must be named as package.module:function. "
            f"Received: {reference!r}"
        )
    # Installed programs do not look there by themselves.
    folder = str(pathlib.Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    with blamed(reference):
        if not _is_found(module_name):
            raise errors.InputError(
                "A function's module must be installed or in the current "
                f"directory. Received: {reference!r}, but there is no "
                f"{module_name!r} in {folder!r}"
            )
        module = importlib.import_module(module_name)
    function = getattr(module, name, None)
    if not callable(function):
        raise errors.InputError(
            f"{module_name!r} must have the function {name!r}. Received: "
            f"{'something else' if function is not None else 'none'} in "
            f"{module.__file__!r}"
        )
    found: Callable[..., Any] = function
    return found


@contextlib.contextmanager
def blamed(reference: str) -> Iterator[None]:
    """Turns what the body raises into an error that names the function.

    Args:
        reference: As `package.module:function`.

    Raises:
        UserCodeError: If the body raises, or ends the program.
    """
    try:
        yield
    except errors.TfliteOptError:
        raise
    # Code of others may raise anything.
    except (Exception, SystemExit) as error:
        # The first frame is this one.
        frames = error.__traceback__ and error.__traceback__.tb_next
        lines = traceback.format_exception(type(error), error, frames)
        marked = "".join(lines).rstrip().replace("\n", "\n  | ")
        _LOG.error("Traceback of %s, not of this program:", reference)
        _LOG.error("  | %s", marked)
        # The rest, of TensorFlow a page, is in the traceback.
        first, *_ = [*str(error).splitlines(), ""]
        raise errors.UserCodeError(
            f"{reference} must not raise. Received: "
            f"{type(error).__name__}: {first}. Its traceback is above."
        ) from error


def _is_found(module_name: str) -> bool:
    """Returns whether there is such a module; imports its packages."""
    parent, _, _ = module_name.rpartition(".")
    if parent and not _is_found(parent):
        return False
    return importlib.util.find_spec(module_name) is not None
