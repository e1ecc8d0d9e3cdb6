# SPDX-License-Identifier: Apache-2.0
"""The errors a user can cause or must hear about.

Each message says which rule was broken, what was received and what to do.
Scripts print it as one `error:` line and exit with code 2; anything else that
is raised is a bug and keeps its traceback.
"""


class TfliteOptError(Exception):
    """Base of all errors that end a command with one line."""


class InputError(TfliteOptError, ValueError):
    """A flag, file or value that the user gave breaks a rule."""


class ModelError(InputError):
    """A model that is missing, unreadable or not what the command needs."""


class DataError(InputError):
    """Data that do not fit the model, the metric or each other."""


class UserCodeError(InputError):
    """A function or module of the user's that raised.

    Attributes:
        traceback_text: Their own traceback, several lines; may be empty.
    """

    def __init__(self, message: str, traceback_text: str = "") -> None:
        super().__init__(message)
        self.traceback_text = traceback_text


class OutputError(TfliteOptError):
    """A result that could not be written, or a directory that is taken."""


class VerificationError(TfliteOptError):
    """A technique that did not do what it promised.

    Raised by `verify` from facts read out of the result itself.
    """


class ConversionError(TfliteOptError):
    """A conversion that failed, crashed its process or ran out of time."""


class BenchmarkError(TfliteOptError):
    """A launch that failed, crashed or ran out of time."""


class ExecutionError(TfliteOptError):
    """Work that was lost with the process or host that did it."""


def to_parent(error: TfliteOptError) -> dict[str, str]:
    """Returns what a child process tells about an error, for `from_child`."""
    found = {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, UserCodeError):
        found["traceback_text"] = error.traceback_text
    return found


def from_child(kind: str, message: str, **details: str) -> TfliteOptError:
    """Returns the error that a child process reported.

    Args:
        kind: Name of a class of this module.
        message: Its message.
        **details: What else the class takes.
    """
    cls = globals()[kind]
    if not (isinstance(cls, type) and issubclass(cls, TfliteOptError)):
        raise KeyError(kind)
    error: TfliteOptError = cls(message, **details)
    return error
