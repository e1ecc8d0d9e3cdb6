# SPDX-License-Identifier: Apache-2.0
"""What all programs share: exit codes, one-line errors, help.

Exit codes: 0 done, 1 a negative verdict or a bug (with its traceback),
2 bad flags or bad input (one `error:` line), 3 inconclusive.
"""

import pathlib
import signal
import sys
from collections.abc import Callable, Sequence

from absl import app, flags

from tflite_opt.records import artifact, errors
from tflite_opt.tflite import flatbuffer

from . import _help, _output

PACKAGE = __name__.rpartition(".")[0]

# Programs say what they found through this.
emit = _output.emit

Main = Callable[[Sequence[str]], int | None]


def run(main: Main) -> None:
    """Runs a program and exits with its code.

    Args:
        main: Gets the positional arguments; returns the exit code, None for 0.
    """

    def guarded(argv: Sequence[str]) -> int:
        # Here, because absl installs a handler of its own before.
        _output.set_up()
        try:
            return main(argv[1:]) or 0
        except errors.TfliteOptError as error:
            return _fail(error)
        except OSError as error:
            if error.filename is None and error.errno is None:
                raise
            return _fail(error)
        except KeyboardInterrupt:
            _output.error("Interrupted.")
            return 130

    # `--help | head` is no error.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    app.run(guarded, flags_parser=_parse_flags)


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
    if _help.show(argv, PACKAGE):
        sys.exit(0)
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        _output.error(_help.explain(error, PACKAGE))
        sys.exit(2)


def _fail(error: Exception) -> int:
    if isinstance(error, errors.UserCodeError):
        print(error.traceback_text, file=sys.stderr, end="")
    _output.error(str(error))
    return 2
