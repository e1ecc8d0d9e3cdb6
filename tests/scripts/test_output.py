# SPDX-License-Identifier: Apache-2.0
"""How much goes to stderr, and in which colours."""

import os
import pty
import subprocess
import sys

import pytest

from tests.scripts import programs


def _on_a_terminal(*arguments, **environment):
    """Returns what a program writes to a stderr that is a terminal."""
    leader, follower = pty.openpty()
    inherited = {k: x for k, x in os.environ.items() if k != "NO_COLOR"}
    subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=programs.ROOT,
        stderr=follower,
        stdout=subprocess.DEVNULL,
        env=inherited | {"TERM": "xterm"} | environment,
        check=False,
        timeout=60,
    )
    os.close(follower)
    with os.fdopen(leader, "rb", buffering=0) as stream:
        return stream.read(10_000).decode()


@pytest.mark.parametrize(
    ("environment", "start"),
    [
        ({}, "\x1b[31merror:\x1b[0m "),
        ({"NO_COLOR": "1"}, "error: "),
        ({"TERM": "dumb"}, "error: "),
    ],
    ids=["terminal", "NO_COLOR", "dumb"],
)
def test_colours_are_for_terminals_that_want_them(environment, start):
    text = _on_a_terminal("scripts.report", "--run=/none", **environment)
    assert text.startswith(start)


def test_without_a_terminal_there_are_no_colours():
    assert programs.run("report", "--run=/none").stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("flag", "stderr", "level"),
    [
        ("--noquiet", "progress\nwarning\n", "INFO 2"),
        ("-q", "warning\n", "WARNING 2"),
        ("-v", "progress\nwarning\n", "INFO 0"),
    ],
)
def test_levels_hold_here_and_in_child_processes(flag, stderr, level):
    code = (
        "import logging, os; from absl import flags; from scripts import _cli\n"
        "from scripts import _output\n"
        f"flags.FLAGS(['program', {flag!r}]); _output.set_up()\n"
        "logging.getLogger('tflite_opt').info('progress')\n"
        "logging.getLogger('tflite_opt').warning('warning')\n"
        "names = ('TFLITE_OPT_LOG_LEVEL', 'TF_CPP_MIN_LOG_LEVEL')\n"
        "print(*(os.environ[name] for name in names))"
    )
    inherited = {k: x for k, x in os.environ.items() if k[:3] != "TF_"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=programs.ROOT,
        capture_output=True,
        text=True,
        env=inherited,
        check=True,
    )
    assert done.stderr == stderr
    assert done.stdout.strip() == level


def test_quiet_and_verbose_exclude_each_other():
    done = programs.run("report", "-q", "-v")
    programs.assert_one_error_line(done, "one of --quiet and --verbose")
