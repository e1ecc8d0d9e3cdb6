# SPDX-License-Identifier: Apache-2.0
"""Measures models here, by litert-benchmark and by a loop of C, side by side.

    python -m scripts.measure_peers

Without files, models of 50 us to 50 ms are generated. Launches of all are
interleaved. The loop needs a C compiler. Finished cells are kept in --folder; a
missing one is printed as missing. Exit code 0 when all cells are there, 1 when
one is missing, 2 for bad input.
"""

import pathlib
import sys
from collections.abc import Sequence

from absl import flags

from tflite_opt.studies import equal_layers, peers, study

from . import _cli

_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/peers", "Records and the table go here."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_peers", "Generated models are kept here."
)
_BENCHMARK_BINARY = flags.DEFINE_string(
    "benchmark_binary",
    str(pathlib.Path(sys.executable).with_name("litert-benchmark")),
    "The program litert-benchmark; by default that of this environment.",
)
_ROUNDS = flags.DEFINE_integer(
    "rounds", 10, "How often both are launched, in turn.", lower_bound=1
)
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    artifacts = (
        _cli.tflite_files(arguments)
        if arguments
        else equal_layers.prepare_in_child(
            pathlib.Path(_WORK_DIR.value).resolve(), peers.SIZES
        )
    )
    cells = peers.cells(
        artifacts,
        pathlib.Path(_BENCHMARK_BINARY.value),
        _ROUNDS.value,
    )
    folder = pathlib.Path(_FOLDER.value)
    found = study.run(
        "peers", cells, folder, rounds=_ROUNDS.value, redo=_REDO.value
    )
    text = study.write_table(
        peers.TITLE,
        found,
        folder,
        " ".join(["python -m scripts.measure_peers", *arguments]),
        lines=peers.describe(found),
    )
    records = [record.to_json() for record in found.values() if record]
    _cli.emit(records, text)
    return 0 if len(records) == len(cells) else 1


if __name__ == "__main__":
    _cli.run(main)
