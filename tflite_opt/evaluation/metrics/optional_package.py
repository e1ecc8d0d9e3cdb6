# SPDX-License-Identifier: Apache-2.0
"""Packages that only one metric needs, and that are not installed for it."""

import importlib.util

from tflite_opt.records import errors


def require(package: str, metric: str) -> None:
    """Refuses a metric whose package is not installed.

    Args:
        package: As it is imported and installed.
        metric: Who needs it.

    Raises:
        InputError: If it is missing.
    """
    if importlib.util.find_spec(package) is None:
        raise errors.InputError(
            f"The metric {metric} needs the package {package}. Received: an "
            f"environment without it. Run `pip install {package}`."
        )
