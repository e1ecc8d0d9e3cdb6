# SPDX-License-Identifier: Apache-2.0
r"""Prints what .tflite files say about themselves, without TensorFlow.

    python -m scripts.inspect_model runs/demo/artifacts/int8.tflite

Size, signatures, operations, how much of the weights is quantized, and how
the runtime prepares the file. Exit code 0 also for files that this runtime
cannot prepare, which is shown; 2 for what is no .tflite.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.records import errors
from tflite_opt.report import facts_text
from tflite_opt.tflite import facts

from . import _cli

_DELEGATION = flags.DEFINE_bool(
    "delegation",
    True,
    "Whether to prepare the file with XNNPACK and with the builtin kernels, "
    "in a child process.",
)


def main(arguments: Sequence[str]) -> None:
    """Inspects the given files."""
    if not arguments:
        raise errors.InputError("Give one or more .tflite files.")
    found = [
        facts.read_facts(pathlib.Path(path), delegation=_DELEGATION.value)
        for path in arguments
    ]
    documents = [
        {"path": path, "facts": model.to_json()}
        for path, model in zip(arguments, found, strict=True)
    ]
    texts = [
        facts_text.describe(facts_text.printable(path), model)
        for path, model in zip(arguments, found, strict=True)
    ]
    _cli.emit(documents, "\n\n\n".join(texts))


if __name__ == "__main__":
    _cli.run(main)
