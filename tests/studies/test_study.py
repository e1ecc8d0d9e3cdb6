# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.records import errors
from tflite_opt.studies import study


def _run(folder, cells, **options):
    values = {"rounds": 3, "redo": False}
    return study.run("test", cells, folder, **values | options)


def test_finished_cells_are_kept_and_missing_ones_measured(tmp_path):
    calls = []

    def measure(name):
        calls.append(name)
        return {"value_s": float(len(calls))}

    cells = {"a": lambda: measure("a")}
    _run(tmp_path, cells)
    cells["b"] = lambda: measure("b")
    found = _run(tmp_path, cells)
    assert calls == ["a", "b"]
    assert found["a"].values == {"value_s": 1.0}
    assert found["b"].rounds == 3
    _run(tmp_path, cells, redo=True)
    assert calls == ["a", "b", "a", "b"]


def test_an_interrupted_cell_stays_missing_and_is_printed_so(tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    cells = {"a": lambda: {"value_s": 1.5}, "b": interrupted}
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, cells)
    found = study.load(cells, tmp_path)
    assert found["b"] is None
    text = study.write_table("Title", found, tmp_path, "python -m x")
    assert "| a | value_s | 1.5 |" in text
    assert "| b | missing | |" in text
    assert (tmp_path / "README.md").read_text() == text


def test_a_damaged_record_is_one_clear_error(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(errors.InputError, match=r"a\.json"):
        _run(tmp_path, {"a": lambda: {}})


def test_a_cell_that_is_not_there_is_one_clear_error():
    cells = {name: dict for name in ("a", "b", "c")}
    assert list(study.choose(cells, None)) == ["a", "b", "c"]
    assert list(study.choose(cells, ["c", "a"])) == ["a", "c"]
    message = "Unknown cell. Received: d. Known: a, b, c."
    with pytest.raises(errors.InputError, match=message):
        study.choose(cells, ["a", "d"])
