# SPDX-License-Identifier: Apache-2.0
"""What goes to stdout and stderr: form, amount and colours."""

import json
import logging
import os
import sys
from typing import Any

from absl import app, flags

from tflite_opt import child_process

# `app` brings a logger that nothing here uses, with --verbosity, in short -v.
app.define_help_flags()
del flags.FLAGS.v

_OUTPUT = flags.DEFINE_enum(
    "output",
    "text",
    ["text", "json"],
    "What goes to stdout: a text for people, or one JSON document. "
    "Progress and warnings always go to stderr.",
)
_QUIET = flags.DEFINE_bool(
    "quiet",
    False,
    "Say nothing on stderr but warnings and errors.",
    short_name="q",
)
_VERBOSE = flags.DEFINE_bool(
    "verbose",
    False,
    "Keep what TensorFlow and LiteRT log, on stderr and in the logs of a run.",
    short_name="v",
)
flags.register_multi_flags_validator(
    ["quiet", "verbose"],
    lambda values: not (values["quiet"] and values["verbose"]),
    message="Choose one of --quiet and --verbose.",
)

_RED, _YELLOW, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[0m"


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return (
            coloured(text, _YELLOW) if record.levelno > logging.INFO else text
        )


def set_up() -> None:
    """Sends the library's messages to stderr, as many as the flags want."""
    level = "WARNING" if _QUIET.value else "INFO"
    os.environ[child_process.LOG_LEVEL] = level
    # Replaces the handler that absl installed.
    logging.basicConfig(stream=sys.stderr, level=level, force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Formatter("%(message)s"))
    # TensorFlow, where a program needs it, would fill stderr before any error
    # that matters to the user. Child processes inherit this.
    if _VERBOSE.value:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    else:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def emit(document: Any, text: str) -> None:
    """Prints the result to stdout in the form that `--output` asks for.

    Args:
        document: Plain JSON types.
        text: The same for people, without a final newline.
    """
    if _OUTPUT.value == "json":
        print(json.dumps(document, indent=2, allow_nan=False))
    else:
        print(text)


def error(text: str) -> None:
    """Prints one `error:` line to stderr, whatever is in the text."""
    line = " ".join(text.split())
    print(f"{coloured('error:', _RED)} {line}", file=sys.stderr)


def coloured(text: str, colour: str) -> str:
    """Returns text in a colour, if stderr is a terminal that has any.

    See https://no-color.org.
    """
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if is_plain or not sys.stderr.isatty():
        return text
    return f"{colour}{text}{_PLAIN}"
