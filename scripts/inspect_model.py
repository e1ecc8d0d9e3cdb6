# SPDX-License-Identifier: Apache-2.0
r"""Prints what .tflite files say about themselves, without TensorFlow.

    python -m scripts.inspect_model runs/demo/artifacts/int8.tflite

Size and what its bytes are for, MACs, signatures, operations, how much of the
weights is quantized or zero, and how the runtime prepares the file; several
files side by side. Exit code 0 also for files that this runtime cannot
prepare, which is shown; 2 for what is no .tflite. With --lint, 1 when there is
a warning.
"""

import pathlib
from collections.abc import Mapping, Sequence

from absl import flags

from tflite_opt.lint import rule
from tflite_opt.records import errors
from tflite_opt.records import facts as facts_record
from tflite_opt.report import inspection_text, lint_text
from tflite_opt.tflite import facts

from . import _cli, _shape_flags

_DELEGATION = flags.DEFINE_bool(
    "delegation",
    True,
    "Whether to prepare the file with XNNPACK and with the builtin kernels, "
    "in a child process.",
)
_VALUES = flags.DEFINE_bool(
    "values", True, "Whether to count zeros and distinct values of weights."
)
_OPS = flags.DEFINE_bool("ops", False, "Whether to list every operation.")
_LINT = flags.DEFINE_bool(
    "lint",
    False,
    "Whether to say, instead of facts, what will be slow, large or fragile.",
)
_SILENCE = flags.DEFINE_list("silence", [], "Linter rules to leave out, by id.")


def main(arguments: Sequence[str]) -> int:
    """Inspects the given files."""
    if not arguments:
        raise errors.InputError("Give one or more .tflite files.")
    found = {
        path: facts.read_facts(
            pathlib.Path(path),
            delegation=_DELEGATION.value,
            values=_VALUES.value,
            input_shapes=_shape_flags.input_shapes(),
            dynamic_dimension=_shape_flags.dynamic_dimension(),
        )
        for path in arguments
    }
    if _LINT.value:
        return _lint(found)
    _cli.emit(
        [
            {"path": path, "facts": model.to_json(), "totals": model.totals()}
            for path, model in found.items()
        ],
        inspection_text.describe(found, list_operations=_OPS.value),
    )
    return 0


def _lint(found: Mapping[str, facts_record.ModelFacts]) -> int:
    findings = {
        path: rule.lint(model, pathlib.Path(path), _SILENCE.value)
        for path, model in found.items()
    }
    _cli.emit(
        [
            {"path": path, "findings": [item.to_json() for item in items]}
            for path, items in findings.items()
        ],
        "\n\n".join(lint_text.describe(*pair) for pair in findings.items()),
    )
    everything = [item for items in findings.values() for item in items]
    return int(any(item.severity == "warning" for item in everything))


if __name__ == "__main__":
    _cli.run(main)
