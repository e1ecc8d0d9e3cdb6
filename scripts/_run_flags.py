# SPDX-License-Identifier: Apache-2.0
"""The flags of programs that fill a run directory."""

import datetime
import pathlib
import shlex
import sys

from absl import flags

from tflite_opt.records import errors, run_directory

from . import _cli

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Run directory; default: runs/<program>-<time>. See --resume, --overwrite.",
)
_RESUME = flags.DEFINE_boolean(
    "resume",
    False,
    "Continue a run: redo what is missing or was made from other inputs.",
)
_OVERWRITE = flags.DEFINE_boolean(
    "overwrite", False, "Remove an earlier run in --output_dir first."
)


def existing_run() -> run_directory.RunDirectory:
    """Returns the run that --output_dir names.

    Raises:
        InputError: If it names none.
    """
    if _OUTPUT_DIR.value is None:
        raise errors.InputError(
            "--output_dir must name an earlier run here. Received: none."
        )
    return run_directory.RunDirectory.open(pathlib.Path(_OUTPUT_DIR.value))


def run() -> run_directory.RunDirectory:
    """Returns the run directory that the flags name."""
    program = pathlib.Path(sys.argv[0]).stem
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return run_directory.RunDirectory.create(
        pathlib.Path(_OUTPUT_DIR.value or f"runs/{program}-{now}"),
        command=shlex.join(
            ["python", "-m", f"{_cli.PACKAGE}.{program}", *sys.argv[1:]]
        ),
        resume=_RESUME.value,
        overwrite=_OVERWRITE.value,
    )
