# SPDX-License-Identifier: Apache-2.0
"""Which graphs an operation runs: the body of a loop, the branches of an `if`.

Knows the options of TFLite's control flow and nothing of what is inside.

References:
    https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs
"""

from tflite_opt.tflite import checked_table

LOOPS = frozenset({"WHILE", "STABLEHLO_WHILE"})

_BUILTIN_OPTIONS, _BUILTIN_OPTIONS_2 = 4, 12
# Where the options are, and which of their fields are indices of graphs.
_FIELDS = {
    "IF": (_BUILTIN_OPTIONS, (0, 1)),
    "WHILE": (_BUILTIN_OPTIONS, (0, 1)),
    "CALL": (_BUILTIN_OPTIONS, (0,)),
    "CALL_ONCE": (_BUILTIN_OPTIONS, (0,)),
    "STABLEHLO_WHILE": (_BUILTIN_OPTIONS_2, (0, 1)),
    "STABLEHLO_COMPOSITE": (_BUILTIN_OPTIONS_2, (1,)),
}


def graphs(operator: checked_table.Table, name: str) -> tuple[int, ...]:
    """Returns the indices of the graphs that an operation runs.

    Args:
        operator: Its table.
        name: TFLite's name of it.

    Raises:
        FormatError: If its options are damaged.
    """
    if name not in _FIELDS:
        return ()
    field, fields = _FIELDS[name]
    options = operator.table(field)
    if options is None:
        return ()
    return tuple(options.scalar(number, "int32") for number in fields)
