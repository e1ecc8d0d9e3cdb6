# SPDX-License-Identifier: Apache-2.0
"""The command `tflite-opt`: starts a program by its name.

    tflite-opt optimize --output_dir=runs/demo

is `python -m scripts.optimize --output_dir=runs/demo` of a checkout.
"""

import ast
import difflib
import pathlib
import runpy
import sys

import tflite_opt

_FOLDER = pathlib.Path(__file__).parent
_PACKAGE = __package__ or ""


def main() -> None:
    """Runs the program that the first argument names, or lists them all."""
    name, arguments = (sys.argv[1:2] or ["--help"])[0], sys.argv[2:]
    programs = sorted(path.stem for path in _FOLDER.glob("[a-z]*.py"))
    if name in ("-h", "--help"):
        print(_overview(programs))
    elif name == "--version":
        print(tflite_opt.__version__)
    elif name in programs:
        sys.argv[1:] = arguments
        runpy.run_module(
            f"{_PACKAGE}.{name}", run_name="__main__", alter_sys=True
        )
    else:
        close = difflib.get_close_matches(name, programs, n=1)
        hint = f"Did you mean {close[0]}?" if close else "See --help."
        print(
            f"error: Unknown command. Received: {name!r}. {hint}",
            file=sys.stderr,
        )
        sys.exit(2)


def _overview(programs: list[str]) -> str:
    width = max(map(len, programs))
    lines = ["usage: tflite-opt COMMAND [--name=value ...]", ""]
    for name in programs:
        source = (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(source)) or ""
        lines.append(f"  {name.ljust(width)}  {docstring.splitlines()[0]}")
    return "\n".join([*lines, "", "tflite-opt COMMAND --help says more."])


if __name__ == "__main__":
    main()
