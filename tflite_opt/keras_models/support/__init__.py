# SPDX-License-Identifier: Apache-2.0
"""What each training-time technique accepts: one file each, found here.

A file defines one `base.Support`, which asks the technique's own library what
it would do with each layer. Nothing else lists the techniques.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
