# SPDX-License-Identifier: Apache-2.0
r"""Measures what the harness for phones costs beside the tool and plain adb.

    python -m scripts.measure_android --benchmark_binary=PATH \
        --model=runs/demo/artifacts/int8.tflite

Runs on the phone that is connected, or on an emulated one, which
`python -m tests.emulated_device` starts. Finished cells are kept in --folder; a
missing one is printed as missing. Exit code 0 when all cells are there, 1 when
one is missing, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.records import errors
from tflite_opt.studies import study

from . import _android_flags, _cli

_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/android", "Records and the table go here."
)
_MODEL = flags.DEFINE_string("model", None, "A small .tflite.", required=True)
_PUSHED_MB = flags.DEFINE_integer(
    "pushed_mb", 100, "Size of the file that is pushed.", lower_bound=1
)
_ROUNDS = flags.DEFINE_integer(
    "rounds", 5, "How often both sides run, in turn.", lower_bound=1
)
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    from . import _android_study

    _cli.reject_positional(arguments)
    _cli.tflite_files([_MODEL.value])
    if _android_flags.BENCHMARK_BINARY.value is None:
        raise errors.InputError(
            "The study needs a tool. Received: benchmark_binary=None."
        )
    server, devices = _android_flags.server_and_devices()
    cells = _android_study.cells(
        _android_study.Setup(
            server=server,
            device=devices[0],
            binary=_android_flags.binary(devices[0]),
            model=pathlib.Path(_MODEL.value),
            pushed_mb=_PUSHED_MB.value,
            rounds=_ROUNDS.value,
        )
    )
    folder = pathlib.Path(_FOLDER.value)
    found = study.run(
        "android", cells, folder, rounds=_ROUNDS.value, redo=_REDO.value
    )
    command = "python -m scripts.measure_android --benchmark_binary=PATH"
    text = study.write_table(_android_study.TITLE, found, folder, command)
    records = [record.to_json() for record in found.values() if record]
    _cli.emit(records, text)
    return 0 if len(records) == len(cells) else 1


if __name__ == "__main__":
    _cli.run(main)
