# SPDX-License-Identifier: Apache-2.0
"""The linter: what a `.tflite` says about itself that will hurt later.

Works on facts alone, for any file, without running it. Each module holds the
rules about one subject, found by being here.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
