# SPDX-License-Identifier: Apache-2.0
"""The text of `--help`: a program's own flags, in the groups of their files.

`--help` has a sentence for each flag, `--helpfull` has all of it. absl's own
flags, of a logger that is not used, are in neither.
"""

import difflib
import pathlib
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from absl import flags

_ASKED = {
    "--help": False,
    "-h": False,
    "--helpshort": False,
    "--helpfull": True,
}
_EXIT_CODES = (
    "Exit codes: 0 done, 1 a negative verdict (or a bug, with its traceback), "
    "2 bad flags or bad input, 3 inconclusive, 130 interrupted."
)
# absl's words for them.
_REQUIRED = "a value other than None"
_COLUMN = 30
_MAX_LINES = 2
# Where the name of the file says too little.
_TITLES = {
    "entry": "What is run",
    "golden": "Golden vectors",
    "reference": "Reference models",
    "shape": "Open dimensions",
}
# Groups that most readers do not look for.
_LAST = ("android", "output")
_KINDS = {"int": "N", "float": "X", "comma separated list of strings": "A,B"}


def show(argv: Sequence[str], package: str) -> bool:
    """Prints the help if it is asked for.

    Args:
        argv: The command line.
        package: The package of the programs.

    Returns:
        Whether it was.
    """
    asked = [_ASKED[argument] for argument in argv[1:] if argument in _ASKED]
    if asked:
        print(_text(package, is_full=any(asked)))
    return bool(asked)


def explain(error: flags.Error, package: str) -> str:
    """Returns what is wrong with the flags, and the way out where there is one.

    Args:
        error: absl's.
        package: The package of the programs.
    """
    if isinstance(error, flags.UnrecognizedFlagError):
        return f"Unknown flag. {_nearest(error.flagname, package)}"
    missing = re.findall(rf"Flag (--\w+) must have {_REQUIRED}", str(error))
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        return f"Required flags must be given. Missing: {names}."
    return str(error)


def _nearest(name: str, package: str) -> str:
    known = [flag.name for _, found in _groups(package) for flag in found]
    known += [f"no{name}" for name in known if flags.FLAGS[name].boolean]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean --{close[0]}?" if close else "See --help."
    return f"Received: --{name}. {hint}"


def _text(package: str, *, is_full: bool) -> str:
    docstring = sys.modules["__main__"].__doc__ or ""
    if package != "scripts":
        docstring = docstring.replace("python -m scripts.", "tflite-opt ")
    width = min(shutil.get_terminal_size().columns, 100)
    lines = [docstring.strip()]
    for title, found in _groups(package):
        lines += ["", f"{title}:"]
        for flag in found:
            lines += _entry(flag, width, is_full)
    lines += ["", *textwrap.wrap(_EXIT_CODES, width)]
    if not is_full:
        lines += ["--helpfull says more about each flag."]
    return "\n".join(lines)


def _groups(package: str) -> Iterator[tuple[str, list[flags.Flag]]]:
    """Yields the title and the flags of each file, the program's own first."""
    by_module = flags.FLAGS.flags_by_module_dict()
    own = sys.argv[0]
    shared = {
        module.rpartition(".")[2].strip("_").removesuffix("_flags"): module
        for module in sorted(by_module)
        if module.startswith(f"{package}._")
    }
    if own in by_module:
        yield _title(pathlib.Path(own).stem), by_module[own]
    for name in sorted(shared, key=lambda name: (name in _LAST, name)):
        yield _title(name), by_module[shared[name]]


def _title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def _entry(flag: flags.Flag, width: int, is_full: bool) -> list[str]:
    head = f"  {_usage(flag)}"
    # absl writes the kind of a flag into its help.
    text = re.sub(r"^<.*?>: |;\s+repeat this option.*", "", flag.help or "")
    text = " ".join(text.split())
    if not is_full:
        text = re.split(r"(?<=\.) (?=[A-Z-])", text, maxsplit=1)[0]
    lines = textwrap.wrap(
        f"{text.rstrip('.')}{_default(flag)}",
        max(width - _COLUMN, 20),
        max_lines=None if is_full else _MAX_LINES,
        placeholder=" ...",
    )
    indented = [" " * _COLUMN + line for line in lines]
    if len(head) + 1 < _COLUMN and indented:
        indented[0] = head.ljust(_COLUMN) + lines[0]
        return indented
    return [head, *indented]


def _usage(flag: flags.Flag) -> str:
    short = f"-{flag.short_name}, " if flag.short_name else ""
    if flag.boolean:
        return f"{short}--[no]{flag.name}"
    choices = getattr(flag.parser, "enum_values", None)
    kind = (
        "|".join(choices) if choices else _KINDS.get(flag.flag_type(), "TEXT")
    )
    return f"{short}--{flag.name}={kind}"


def _default(flag: flags.Flag) -> str:
    if any(_REQUIRED in rule.message for rule in flag.validators):
        return " (required)"
    if flag.default in (None, "", False, "false") or flag.default == []:
        return ""
    default = (flag.default_as_str or "").strip("'")
    return f" ({default})"
