# SPDX-License-Identifier: Apache-2.0
"""Measures files with this harness and with litert-benchmark, side by side.

    python -m scripts.measure_peers runs/demo/artifacts/int8.tflite

Launches of both are interleaved. Finished cells are kept in --folder; a
missing one is printed as missing. Exit code 0 when all cells are there, 1 when
one is missing, 2 for bad input.
"""

import pathlib
import sys
from collections.abc import Sequence

from absl import flags

from tflite_opt.studies import peers, study

from . import _cli

_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/peers", "Records and the table go here."
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
    cells = peers.cells(
        _cli.tflite_files(arguments),
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
        f"python -m scripts.measure_peers {' '.join(arguments)}",
        lines=peers.describe(found),
    )
    records = [record.to_json() for record in found.values() if record]
    _cli.emit(records, text)
    return 0 if len(records) == len(cells) else 1


if __name__ == "__main__":
    _cli.run(main)
