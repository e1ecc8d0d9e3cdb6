# SPDX-License-Identifier: Apache-2.0
"""Techniques: one file each, found by being here.

A technique is a frozen dataclass; its fields are its configuration and its
`verify` is its proof. To add one, write one file and its test.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
