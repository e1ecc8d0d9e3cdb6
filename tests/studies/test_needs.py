# SPDX-License-Identifier: Apache-2.0
import pathlib

import pytest

from tflite_opt.records import errors, transcript
from tflite_opt.studies import needs, readme

_COMMANDS = {
    "prints": (
        "python -c \"print('in', __import__('os').getcwd() + '/x')\"",
        "exit 3",
    ),
    "phone": ("echo $BENCHMARK_MODEL",),
}


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCHMARK_MODEL", raising=False)
    monkeypatch.setattr(needs, "NEEDS", _COMMANDS)


def test_commands_are_kept_with_what_they_printed(tmp_path):
    found = needs.run(tmp_path / "needs", redo=False)
    prints = transcript.Transcript.load(tmp_path / "needs" / "prints.json")
    assert found == {"prints": prints, "phone": None}
    first, second = prints.commands
    assert (first.exit_code, first.stdout) == (0, "in x\n")
    assert (second.exit_code, second.stdout) == (3, "")
    assert str(tmp_path) not in prints.commands[0].stdout


def test_a_finished_need_is_kept_unless_it_is_to_be_redone(tmp_path):
    folder = tmp_path / "needs"
    needs.run(folder, redo=False)
    before = (folder / "prints.json").stat().st_mtime_ns
    needs.run(folder, redo=False)
    assert (folder / "prints.json").stat().st_mtime_ns == before
    needs.run(folder, redo=True)
    assert (folder / "prints.json").stat().st_mtime_ns > before


def test_a_phones_need_runs_where_its_tool_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHMARK_MODEL", "litert:2.2.0")
    found = needs.run(tmp_path / "needs", redo=False)
    assert found["phone"].commands[0].stdout == "litert:2.2.0\n"


def test_bad_input_of_a_command_is_an_error(tmp_path, monkeypatch):
    wrong = {"wrong": ("echo error: No such model. >&2; exit 2",)}
    monkeypatch.setattr(needs, "NEEDS", wrong)
    with pytest.raises(errors.InputError, match=r"^No such model\. \(echo"):
        needs.run(tmp_path / "needs", redo=False)
    assert not list(pathlib.Path(tmp_path / "needs").glob("*"))


def test_an_earlier_run_is_removed_before_a_command(tmp_path, monkeypatch):
    (tmp_path / "old").mkdir()
    command = "test ! -e old; echo $? --output_dir=old"
    monkeypatch.setattr(needs, "NEEDS", {"again": (command,)})
    found = needs.run(tmp_path / "needs", redo=False)
    assert found["again"].commands[0].stdout == "0 --output_dir=old\n"


def test_a_part_of_the_readme_shows_commands_and_outputs(tmp_path):
    needs.run(tmp_path / "needs", redo=False)
    text = "a\n<!-- made from needs/prints -->\nold\n<!-- end -->\nb\n"
    filled = readme.fill(text, tmp_path)
    assert filled == (
        "a\n<!-- made from needs/prints -->\n\n```console\n"
        f"$ {_COMMANDS['prints'][0]}\nin x\n$ exit 3\n```\n\n"
        "<!-- end -->\nb\n"
    )
    assert readme.fill(filled, tmp_path) == filled


def test_long_commands_are_wrapped():
    text = readme.wrapped("program " + " ".join(["--flag=value"] * 9))
    assert text.count(" \\\n    --flag") == 1
    assert max(map(len, text.splitlines())) <= 80
