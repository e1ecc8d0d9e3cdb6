# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tflite_opt.records import errors, run_directory


def _create(root, **options):
    return run_directory.RunDirectory.create(root, command="test", **options)


def _finish(run, inputs):
    path = run.path("artifacts", "a.bin")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"result")
    run.finish("convert/a", inputs, [path])
    return path


def test_a_finished_stage_is_done_for_the_same_inputs_only(tmp_path):
    run = _create(tmp_path / "run")
    _finish(run, {"model": "abc"})
    assert run.is_done("convert/a", {"model": "abc"})
    assert not run.is_done("convert/a", {"model": "abd"})
    assert not run.is_done("convert/b", {"model": "abc"})


def test_resume_keeps_what_is_intact(tmp_path):
    _finish(_create(tmp_path / "run"), {"model": "abc"})
    resumed = _create(tmp_path / "run", resume=True)
    assert resumed.is_done("convert/a", {"model": "abc"})


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_damaged_output_makes_the_stage_missing(tmp_path, damage):
    path = _finish(_create(tmp_path / "run"), {"model": "abc"})
    if damage == "change":
        path.write_bytes(b"resulT")
    else:
        path.unlink()
    resumed = _create(tmp_path / "run", resume=True)
    assert not resumed.is_done("convert/a", {"model": "abc"})


def test_resume_removes_what_a_killed_process_left(tmp_path):
    run = _create(tmp_path / "run")
    partial = run.path("artifacts", ".a.tflite.xyz.partial")
    partial.parent.mkdir()
    partial.write_bytes(b"half")
    _create(tmp_path / "run", resume=True)
    assert not partial.exists()


def test_an_existing_run_is_refused_with_the_way_out(tmp_path):
    _create(tmp_path / "run")
    with pytest.raises(errors.OutputError, match="--resume .* --overwrite"):
        _create(tmp_path / "run")


def test_overwrite_starts_from_nothing(tmp_path):
    path = _finish(_create(tmp_path / "run"), {"model": "abc"})
    run = _create(tmp_path / "run", overwrite=True)
    assert not path.exists()
    assert not run.is_done("convert/a", {"model": "abc"})


@pytest.mark.parametrize("option", ["resume", "overwrite", None])
def test_a_directory_of_something_else_is_never_touched(tmp_path, option):
    (tmp_path / "thesis.tex").write_text("text")
    with pytest.raises(errors.OutputError, match="holds other files"):
        _create(tmp_path, **({option: True} if option else {}))
    assert (tmp_path / "thesis.tex").read_text() == "text"


def test_a_file_in_its_place_is_refused(tmp_path):
    (tmp_path / "run").write_text("text")
    with pytest.raises(errors.OutputError, match="Received: output_dir="):
        _create(tmp_path / "run")


def test_resume_and_overwrite_exclude_each_other(tmp_path):
    with pytest.raises(errors.InputError, match=re.escape("Received: both")):
        _create(tmp_path / "run", resume=True, overwrite=True)


def test_opening_what_is_no_run_says_so(tmp_path):
    with pytest.raises(errors.InputError, match=r"manifest\.json"):
        run_directory.RunDirectory.open(tmp_path)


def test_the_manifest_keeps_versions_and_the_command(tmp_path):
    _create(tmp_path / "run")
    manifest = run_directory.RunDirectory.open(tmp_path / "run").manifest
    assert manifest.command == "test"
    assert set(manifest.versions) >= {"tflite_opt", "tensorflow", "numpy"}
