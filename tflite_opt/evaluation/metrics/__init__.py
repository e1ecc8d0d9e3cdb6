# SPDX-License-Identifier: Apache-2.0
"""Metrics: one file each, found by being here.

A metric says what it keeps of each example, what number that makes, and how
much worse one model is than another on the same examples. To add one, write
one file and its test.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
