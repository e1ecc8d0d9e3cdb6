# SPDX-License-Identifier: Apache-2.0
"""Keras models to verified, measured `.tflite` variants.

The common path from Python is `optimize`; its steps are `check_data`,
`convert`, `evaluate`, `measure`, `compare` and `inspect`. `DataSpec` and
`Recipe` say more than a name can, and `TfliteOptError` is what all errors of
a user's making are. Importing this package imports nothing else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflite_opt.api import (
        DataSpec,
        Recipe,
        TfliteOptError,
        check_data,
        compare,
        convert,
        evaluate,
        inspect,
        measure,
        optimize,
    )

__version__ = "0.1.0"

__all__ = [
    "DataSpec",
    "Recipe",
    "TfliteOptError",
    "check_data",
    "compare",
    "convert",
    "evaluate",
    "inspect",
    "measure",
    "optimize",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tflite_opt import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
