# SPDX-License-Identifier: Apache-2.0
"""Which operations a user means.

A pattern is the name of a Keras layer, the name of an operation's output
tensor, or a regular expression that is searched for in the latter.
"""

import pathlib
import re
from collections.abc import Sequence

from tflite_opt.records import errors, facts
from tflite_opt.tflite import layer_names


def exact(output: str) -> str:
    """Returns the pattern of one operation only, by its output tensor.

    Other than the name itself it means no Keras layer of that name, and may
    hold what is special in expressions.

    Args:
        output: Name of the tensor.
    """
    return f"^{re.escape(output)}$"


def compiled(pattern: str) -> re.Pattern[str]:
    """Returns a pattern as a regular expression.

    Raises:
        InputError: If it is none.
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise errors.InputError(
            "A pattern must be a name or a regular expression. "
            f"Received: {pattern!r}: {error}."
        ) from error


def positions(
    path: pathlib.Path,
    found: facts.ModelFacts,
    patterns: Sequence[str],
    field: str,
) -> dict[str, frozenset[int]]:
    """Returns the operations of the main graph that each pattern means.

    Args:
        path: The `.tflite`.
        found: Facts of it.
        patterns: The patterns.
        field: What messages call them.

    Raises:
        InputError: If one means nothing, or is no regular expression.
    """
    operators = [x for x in found.operators if not x.subgraph]
    names = {t.index: t.name for t in found.tensors if not t.subgraph}
    outputs = [names[x.outputs[0]] for x in operators]
    layers = layer_names.layers_of_operations(path, found, patterns)
    matches = {}
    for pattern in patterns:
        expression = compiled(pattern)
        by_layer = [pattern in layers[0, x.index] for x in operators]
        by_name = [pattern == name for name in outputs]
        by_search = [bool(expression.search(name)) for name in outputs]
        # A name stands for itself before it is an expression.
        chosen = next(
            (x for x in (by_layer, by_name, by_search) if any(x)), None
        )
        if chosen is None:
            raise errors.InputError(
                f"Each pattern of `{field}` must match an operation. "
                f"Received: {pattern!r}. Outputs of operations: "
                f"{', '.join(outputs)}."
            )
        matches[pattern] = frozenset(
            position for position, is_meant in enumerate(chosen) if is_meant
        )
    return matches
