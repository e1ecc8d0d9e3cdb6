# SPDX-License-Identifier: Apache-2.0
"""Finds and calls what users write: `package.module:NAME`.

Their modules are found as Python finds them: installed, or in the current
directory. What goes wrong inside their code is told apart from what goes
wrong here.
"""

import importlib
import itertools
import pathlib
import sys
import traceback
from collections.abc import Callable
from typing import Any

from tflite_opt.records import errors


def is_reference(text: str) -> bool:
    """Whether a text has the form `package.module:NAME`."""
    module, separator, name = text.partition(":")
    return bool(separator) and all(
        part.isidentifier() for part in (*module.split("."), *name.split("."))
    )


def add_current_directory() -> None:
    """Lets modules of the current directory be found.

    A console script does not have it on its path, `python -m` does.
    """
    here = str(pathlib.Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)


def find(reference: str) -> Any:
    """Returns the object that `package.module:NAME` names.

    Raises:
        InputError: If there is no such module or name.
        UserCodeError: If importing the module fails inside it.
    """
    if not is_reference(reference):
        raise errors.InputError(
            "An object of yours must be given as package.module:NAME. "
            f"Received: {reference!r}"
        )
    module_name, _, name = reference.partition(":")
    found = _import(module_name, reference)
    for part in name.split("."):
        if not hasattr(found, part):
            known = [n for n in vars(found) if not n.startswith("_")]
            raise errors.InputError(
                f"The module {module_name!r} must define {name!r}. "
                f"Received: {', '.join(sorted(known)) or 'nothing'}."
            )
        found = getattr(found, part)
    return found


def function(reference: str) -> Callable[..., Any]:
    """Returns the function that `package.module:NAME` names.

    Raises:
        InputError: If there is none.
        UserCodeError: If importing the module fails inside it.
    """
    found: Callable[..., Any] = find(reference)
    if not callable(found):
        raise errors.InputError(
            f"{reference!r} must be a function. "
            f"Received: {type(found).__name__}"
        )
    return found


def call(reference: str, *arguments: Any) -> Any:
    """Returns what the function that `package.module:NAME` names returns.

    Raises:
        InputError: If there is no such function.
        UserCodeError: If it raises.
    """
    return guard(reference, function(reference), *arguments)


def guard(reference: str, called: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a user's function.

    Args:
        reference: Names it in messages.
        called: The function.
        *arguments: With what.

    Raises:
        UserCodeError: If it raises.
    """
    try:
        return called(*arguments)
    except errors.TfliteOptError:
        raise
    except (Exception, SystemExit) as error:  # Any code may raise anything.
        raise _blame(reference, error) from error


def _import(name: str, reference: str) -> Any:
    add_current_directory()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise errors.InputError(
                f"No module {error.name!r}. Received: {reference!r}. Run from "
                "the directory that holds it, or install it."
            ) from error
        raise _blame(reference, error) from error
    except (Exception, SystemExit) as error:  # Any code may raise anything.
        raise _blame(reference, error) from error


def _blame(reference: str, error: BaseException) -> errors.UserCodeError:
    # The frames of this module and of the import system come first.
    frames = list(
        itertools.dropwhile(_is_ours, traceback.extract_tb(error.__traceback__))
    )
    lines = traceback.format_list(frames)
    lines += traceback.format_exception_only(error)
    # The rest, of TensorFlow a page, is in the traceback.
    first, *_ = [*str(error).splitlines(), ""]
    where = ""
    if frames:
        file = pathlib.Path(frames[-1].filename).name
        where = f" ({file}:{frames[-1].lineno})"
    return errors.UserCodeError(
        f"Your {reference} raised {type(error).__name__}: {first}{where}",
        f"Traceback of your code, {reference}:\n{''.join(lines)}",
    )


def _is_ours(frame: traceback.FrameSummary) -> bool:
    return (
        frame.filename == __file__
        or "importlib" in frame.filename
        or frame.filename.startswith("<frozen")
    )
