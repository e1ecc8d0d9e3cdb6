# SPDX-License-Identifier: Apache-2.0
"""What all programs share: exit codes, one-line errors, `--output`.

Exit codes: 0 done, 1 a negative verdict or a bug (with its traceback),
2 bad flags or bad input (one `error:` line), 3 inconclusive.
"""

import json
import logging
import os
import pathlib
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from absl import app, flags

from tflite_opt.records import artifact, errors
from tflite_opt.tflite import flatbuffer

_OUTPUT = flags.DEFINE_enum(
    "output",
    "text",
    ["text", "json"],
    "What goes to stdout: a text for people, or one JSON document. "
    "Progress and warnings always go to stderr.",
)

PACKAGE = __name__.rpartition(".")[0]

Main = Callable[[Sequence[str]], int | None]


def run(main: Main) -> None:
    """Runs a program and exits with its code.

    Args:
        main: Gets the positional arguments; returns the exit code, None for 0.
    """
    # TensorFlow, where a program needs it, would fill stderr before any error
    # that matters to the user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    def guarded(argv: Sequence[str]) -> int:
        # Here, because absl installs a handler of its own before.
        logging.basicConfig(
            stream=sys.stderr,
            level=logging.INFO,
            format="%(message)s",
            force=True,
        )
        try:
            return main(argv[1:]) or 0
        except errors.TfliteOptError as error:
            return _fail(error)
        except OSError as error:
            if error.filename is None and error.errno is None:
                raise
            return _fail(error)
        except KeyboardInterrupt:
            print("error: Interrupted.", file=sys.stderr)
            return 130

    # `--help | head` is no error.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    _show_shared_flags_in_help()
    app.run(guarded, flags_parser=_parse_flags)


def _show_shared_flags_in_help() -> None:
    """Makes `--help` list the flags of the modules that a program shares."""
    for name, flag_list in flags.FLAGS.flags_by_module_dict().items():
        if name.startswith(f"{PACKAGE}._"):
            for flag in flag_list:
                flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)


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


def reject_positional(arguments: Sequence[str]) -> None:
    """Refuses arguments that are not flags.

    Raises:
        InputError: If there are any.
    """
    if arguments:
        raise errors.InputError(
            "This program takes flags only. "
            f"Received: {' '.join(arguments)!r}. Write --name=value."
        )


def tflite_files(
    paths: Sequence[str], *, must_be_valid: bool = True
) -> list[artifact.Artifact]:
    """Returns the records of the `.tflite` files given as arguments.

    Each is called by its stem, or by its path when two share a stem.

    Args:
        paths: The arguments.
        must_be_valid: Whether a file that is there but damaged is an error.

    Raises:
        InputError: If there are none, or one is given twice.
        ModelError: If one cannot be read or is no `.tflite`.
    """
    if not paths or len(set(paths)) != len(paths):
        raise errors.InputError(
            "Give one or more .tflite files, each once. "
            f"Received: {' '.join(paths) or 'none'}."
        )
    for path in paths:
        if must_be_valid or not pathlib.Path(path).is_file():
            flatbuffer.read(pathlib.Path(path))
    stems = [pathlib.Path(path).stem for path in paths]
    unique = len(set(stems)) == len(stems)
    return [
        artifact.describe(
            pathlib.Path(path),
            format="tflite",
            name=stem if unique else path.replace("/", "_"),
        )
        for path, stem in zip(paths, stems, strict=True)
    ]


def _parse_flags(argv: Sequence[str]) -> Sequence[str]:
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(_fail(error))
    except SystemExit:
        # absl exits with 1 after printing the help that was asked for.
        sys.exit(0)


def _fail(error: Exception) -> int:
    if isinstance(error, errors.UserCodeError):
        print(error.traceback_text, file=sys.stderr, end="")
    # One line, whatever the message went through.
    print("error: " + " ".join(str(error).split()), file=sys.stderr)
    return 2
