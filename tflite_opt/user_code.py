# SPDX-License-Identifier: Apache-2.0
"""Functions that the user names as `package.module:function`.

What they raise is theirs: it comes out as a `UserCodeError` whose cause keeps
their traceback.
"""

import importlib
from collections.abc import Callable
from typing import Any

from tflite_opt.records import errors


def load(reference: str) -> Callable[..., Any]:
    """Returns the function that `reference` names.

    Args:
        reference: `package.module:function`, importable from the current
            directory or the installed packages.

    Raises:
        InputError: If it is not of that form, or there is no such module or
            function.
        UserCodeError: If importing the module raises.
    """
    module_name, separator, name = reference.partition(":")
    if not (separator and module_name and name):
        raise errors.InputError(
            "A function is named as package.module:function. "
            f"Received: {reference!r}."
        )
    try:
        module = call(importlib.import_module, reference, module_name)
    except errors.UserCodeError as error:
        cause = error.__cause__
        missing = getattr(cause, "name", None)
        # Else it is something that their module imports.
        if isinstance(
            cause, ModuleNotFoundError
        ) and f"{module_name}.".startswith(f"{missing}."):
            raise errors.InputError(
                f"There must be a module {module_name!r}. "
                f"Received: {reference!r}. Run from the directory that holds "
                "it, or install it."
            ) from cause
        raise
    function = getattr(module, name, None)
    if not callable(function):
        raise errors.InputError(
            f"The module {module_name!r} must have a function {name!r}. "
            f"Received: {reference!r}."
        )
    return function


def call(function: Callable[..., Any], reference: str, *arguments: Any) -> Any:
    """Calls a function of the user's.

    Args:
        function: What `load` returned.
        reference: How the user named it.
        *arguments: Passed on.

    Raises:
        UserCodeError: If it raises.
    """
    try:
        return function(*arguments)
    # Only here: nobody knows what code of the user's raises.
    except Exception as error:
        # Without this frame, which is not theirs.
        frames = error.__traceback__ and error.__traceback__.tb_next
        raise errors.UserCodeError(
            f"{reference} raised {type(error).__name__}: {error}. The "
            "traceback above is that of your code."
        ) from error.with_traceback(frames)
