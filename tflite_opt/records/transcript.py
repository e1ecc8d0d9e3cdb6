# SPDX-License-Identifier: Apache-2.0
"""Commands of a page for users, and what they really printed."""

import dataclasses

from tflite_opt.records import serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command(serialization.Record):
    """One command.

    Attributes:
        text: As typed in a shell.
        exit_code: What it ended with.
        stdout: What it printed, paths relative to the checkout.
        seconds: How long it took.
    """

    text: str
    exit_code: int
    stdout: str
    seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Transcript(serialization.Record):
    """Commands in order.

    Attributes:
        name: What they are for.
        commands: Each of them.
        device: The machine, as text.
        versions: Package versions.
        commit: Of the code that ran; "" outside a checkout.
    """

    name: str
    commands: tuple[Command, ...]
    device: str
    versions: dict[str, str]
    commit: str
