# SPDX-License-Identifier: Apache-2.0
"""What programs say of themselves, and of flags that are mistyped."""

import ast
import pathlib
import re

import pytest

from tests.scripts import programs

_PROGRAMS = sorted((programs.ROOT / "scripts").glob("[a-z]*.py"))


def _flags(text):
    return re.findall(r"^  (?:-\w, )?--(?:\[no\])?(\w+)", text, re.MULTILINE)


def test_help_has_each_flag_once_in_groups_with_its_own_first():
    done = programs.run("optimize", "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    titles = re.findall(r"^([A-Z][a-z ]+):$", done.stdout, re.MULTILINE)
    assert titles[0] == "Optimize"
    assert "Reference models" in titles
    assert titles[-2:] == ["Android", "Output"]
    found = _flags(done.stdout)
    assert len(set(found)) == len(found)
    for flag in ("recipes", "dataset", "launches", "output_dir", "quiet"):
        assert flag in found
    assert "logtostderr" not in found


def test_help_shows_choices_defaults_and_what_is_required():
    text = " ".join(programs.run("gate", "-h").stdout.split())
    assert "--budget=TEXT YAML file (required)" in text
    assert "--inconclusive=pass|fail What an open verdict" in text
    assert "--launches=N Separate processes; the unit of replication (10)" in (
        text
    )
    assert "Exit codes: 0 done, 1 a negative verdict" in text


def test_only_the_full_help_has_more_than_a_glance():
    short = programs.run("train", "--help").stdout
    full = programs.run("train", "--helpfull").stdout
    assert _flags(short) == _flags(full)
    assert " ..." in short
    assert " ..." not in full
    assert "Without labels, everything but accuracy works" in " ".join(
        full.split()
    )


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("--jnuit_xml=x", "Received: --jnuit_xml. Did you mean --junit_xml?"),
        ("--zzz", "Received: --zzz. See --help."),
    ],
)
def test_a_mistyped_flag_gets_the_nearest_one(flag, hint):
    programs.assert_one_error_line(programs.run("gate", flag), hint)


def test_all_missing_flags_are_named_at_once():
    done = programs.run("gate", "--budget=x.yaml")
    programs.assert_one_error_line(done, "Missing: --results.")
    done = programs.run("gate")
    programs.assert_one_error_line(done, "Missing: --budget, --results.")


@pytest.mark.parametrize("path", _PROGRAMS, ids=lambda path: path.stem)
def test_every_program_documents_its_exit_code(path: pathlib.Path):
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert "Exit code" in " ".join(docstring.split())
