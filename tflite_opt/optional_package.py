# SPDX-License-Identifier: Apache-2.0
"""Packages that only one option needs, and that are not installed for it."""

import importlib.util

from tflite_opt.records import errors


def require(package: str, user: str) -> None:
    """Refuses an option whose package is not installed.

    Args:
        package: As it is imported and installed.
        user: What needs it, at the start of a sentence.

    Raises:
        InputError: If it is missing.
    """
    if importlib.util.find_spec(package) is None:
        raise errors.InputError(
            f"{user} needs the package {package}. Received: an environment "
            f"without it. Run `pip install {package}`."
        )
