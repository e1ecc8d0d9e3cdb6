# SPDX-License-Identifier: Apache-2.0
"""The command `tflite-opt`."""

import subprocess
import sys

import tflite_opt
from tests.scripts import programs


def _run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "scripts", *arguments],
        cwd=programs.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_is_installed_as_a_command():
    text = (programs.ROOT / "pyproject.toml").read_text()
    assert 'tflite-opt = "tflite_opt.scripts.__main__:main"' in text


def test_it_lists_all_programs():
    done = _run()
    assert done.returncode == 0
    for path in (programs.ROOT / "scripts").glob("[a-z]*.py"):
        assert f"\n  {path.stem} " in done.stdout


def test_a_command_is_the_program_of_that_name():
    arguments = ("--run=/none", "--output=json")
    done, wanted = (
        _run("report", *arguments),
        programs.run("report", *arguments),
    )
    assert done.returncode == wanted.returncode == 2
    assert done.stderr == wanted.stderr


def test_it_tells_its_version():
    assert _run("--version").stdout.strip() == tflite_opt.__version__


def test_an_unknown_command_gets_the_nearest_one():
    done = _run("optimise")
    programs.assert_one_error_line(
        done, "Received: 'optimise'. Did you mean optimize?"
    )
