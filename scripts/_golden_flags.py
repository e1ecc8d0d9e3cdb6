# SPDX-License-Identifier: Apache-2.0
"""The flag that replays golden vectors instead of evaluating."""

import pathlib

from absl import flags

# Like a boolean flag it may stand alone, and like a text it may have a value.
_GOLDEN = flags.DEFINE_flag(
    flags.Flag(
        flags.ArgumentParser(),
        None,
        "golden",
        "false",
        "Replay the golden vectors beside each file, or those of "
        "--golden=PATH, instead of evaluating on a data set.",
        boolean=True,
    )
)


def is_asked_for() -> bool:
    """Whether --golden was given."""
    return _GOLDEN.value != "false"


def path() -> pathlib.Path | None:
    """Returns the path of --golden=PATH; None for those beside the files."""
    value = _GOLDEN.value
    return None if value in ("true", "false") else pathlib.Path(value)
