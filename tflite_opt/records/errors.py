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
    """A function of the user's own that raised; its traceback was logged."""


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


def from_child(kind: str, message: str) -> TfliteOptError:
    """Returns the error that a child process reported.

    Args:
        kind: Name of a class of this module.
        message: Its message.
    """
    cls = globals()[kind]
    if not (isinstance(cls, type) and issubclass(cls, TfliteOptError)):
        raise KeyError(kind)
    error: TfliteOptError = cls(message)
    return error
