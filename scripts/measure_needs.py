# SPDX-License-Identifier: Apache-2.0
"""Runs the README's commands for common needs and puts their outputs there.

    python -m scripts.measure_needs

Run `make demo` first. What needs a phone takes its tool from $BENCHMARK_MODEL.
Finished needs are kept in --folder. Exit code 0 when all are there, 1 when one
is missing, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.records import files
from tflite_opt.studies import needs, readme

from . import _cli

_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/needs", "Records go here."
)
_README = flags.DEFINE_string(
    "readme", "README.md", "Its parts that are made from records are renewed."
)
_REDO = flags.DEFINE_boolean("redo", False, "Run finished needs again.")


def main(arguments: Sequence[str]) -> int:
    """Runs the missing needs and renews the README."""
    _cli.reject_positional(arguments)
    folder = pathlib.Path(_FOLDER.value)
    found = needs.run(folder, redo=_REDO.value)
    path = pathlib.Path(_README.value)
    text = path.read_text(encoding="utf-8")
    files.write_text(path, readme.fill(text, folder.parent))
    records = {name: record for name, record in found.items() if record}
    lines = [
        f"{name}: {sum(x.seconds for x in record.commands):.0f} s"
        for name, record in records.items()
    ]
    _cli.emit([x.to_json() for x in records.values()], "\n".join(lines))
    return 0 if len(records) == len(needs.NEEDS) else 1


if __name__ == "__main__":
    _cli.run(main)
