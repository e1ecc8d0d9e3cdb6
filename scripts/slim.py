# SPDX-License-Identifier: Apache-2.0
r"""Makes a .tflite file smaller without changing what it computes.

    python -m scripts.slim model.tflite smaller.tflite

Equal parts are stored once, and names inside the graph and leftovers of the
conversion are dropped; the names go to a file beside the new one. Both files
are run in a child process, and every bit of their outputs must be the same.
Latency stays as it is. A file that would not become smaller is copied. Exit
code 0 when there is a file, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.records import errors
from tflite_opt.tflite import slimming

from . import _cli

_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Whether an existing output file is replaced."
)
_VERIFY = flags.DEFINE_bool(
    "verify", True, "Whether both files are run and compared bit by bit."
)


def main(arguments: Sequence[str]) -> None:
    """Slims one file."""
    if len(arguments) != 2:
        raise errors.InputError(
            "Give one .tflite file and where the smaller one goes. "
            f"Received: {' '.join(arguments) or 'none'}."
        )
    source, destination = map(pathlib.Path, arguments)
    _require_free(source, destination)
    written = slimming.slim_file(source, destination, verify=_VERIFY.value)
    slimmed = written.slimmed
    document = {
        "path": str(destination),
        "original_bytes": slimmed.original_bytes,
        "size_bytes": len(slimmed.content),
        "saved_bytes": slimmed.saved_bytes,
        "unchanged_because": slimmed.unchanged_because,
        "check": written.check.describe() if written.check else None,
        "names_path": str(written.names_path) if written.names_path else None,
    }
    lines = [f"{destination}: {written.describe()}"]
    for category, saved in slimmed.saved_bytes.items():
        lines.append(f"  {category:20} {saved:12,} bytes")
    lines.append(f"  tensor names: {written.names_path or 'all in the file'}")
    _cli.emit(document, "\n".join(lines))


def _require_free(source: pathlib.Path, destination: pathlib.Path) -> None:
    if destination.exists():
        if source.exists() and destination.samefile(source):
            raise errors.InputError(
                "Input and output must be different files. "
                f"Received: {str(destination)!r} for both."
            )
        if not _OVERWRITE.value or not destination.is_file():
            raise errors.OutputError(
                f"{str(destination)!r} exists already. Choose another output "
                "file or add --overwrite."
            )


if __name__ == "__main__":
    _cli.run(main)
