# SPDX-License-Identifier: Apache-2.0
"""The text about one `.tflite` file, or several side by side."""

import pathlib
from collections.abc import Mapping

from tflite_opt.records import facts
from tflite_opt.report import facts_comparison, facts_text, operations_text


def describe(
    found: Mapping[str, facts.ModelFacts], *, list_operations: bool = False
) -> str:
    """Returns what there is to know about the files.

    Args:
        found: Facts by path.
        list_operations: Whether to list every operation of each file.
    """
    paths, models = list(found), list(found.values())
    if len(models) > 1:
        names = [pathlib.Path(path).name for path in paths]
        if len(set(names)) < len(names):
            names = paths
        texts = [facts_comparison.compare(names, models)]
    else:
        texts = [facts_text.describe(facts_text.printable(paths[0]), models[0])]
    if list_operations:
        texts += [
            f"{facts_text.printable(path)}\n{operations_text.describe(model)}"
            for path, model in found.items()
        ]
    return "\n\n".join(texts)
