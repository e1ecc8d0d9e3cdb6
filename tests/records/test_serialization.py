# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import math
import pathlib
import re
from typing import Literal

import pytest

from tflite_opt.records import errors, serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner(serialization.Record):
    values: tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer(serialization.Record):
    name: str
    path: pathlib.Path
    kind: Literal["a", "b"] = "a"
    inner: Inner | None = None
    by_name: dict[str, float] = dataclasses.field(default_factory=dict)


def _outer(tmp_path: pathlib.Path) -> Outer:
    return Outer(
        name="x",
        path=tmp_path / "sub" / "file.bin",
        inner=Inner(values=(1, 2)),
        by_name={"z": 0.5},
    )


def test_round_trip_through_a_file_gives_an_equal_record(tmp_path):
    record = _outer(tmp_path)
    record.save(tmp_path / "record.json")
    assert Outer.load(tmp_path / "record.json") == record


def test_paths_inside_the_directory_move_with_it(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    record = Outer(name="x", path=before / "model.bin")
    record.save(before / "record.json")
    before.rename(after)
    assert Outer.load(after / "record.json").path == after / "model.bin"


def test_paths_outside_stay_absolute(tmp_path):
    record = Outer(name="x", path=pathlib.Path("/elsewhere/model.bin"))
    record.save(tmp_path / "record.json")
    assert Outer.load(tmp_path / "record.json").path == record.path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 99}, "schema_version=99"),
        ({"record": "Other"}, "record='Other'"),
        ({"surprise": 1}, "unknown=['surprise']"),
        ({"name": 3}, "`Outer.name` must be of type str. Received: 3"),
        ({"kind": "c"}, "Received: 'c'"),
        ({"by_name": {"z": "much"}}, "Received: {'z': 'much'}"),
        ({"inner": {"record": "Inner"}}, "schema_version=None"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_rejects_what_is_not_exactly_the_record(tmp_path, change, message):
    content = _outer(tmp_path).to_json() | change
    with pytest.raises(errors.InputError, match=re.escape(message)):
        Outer.from_json(content)


def test_rejects_a_missing_field(tmp_path):
    content = _outer(tmp_path).to_json()
    del content["name"]
    with pytest.raises(errors.InputError, match=re.escape("missing=['name']")):
        Outer.from_json(content)


@pytest.mark.parametrize("value", [math.nan, math.inf, True, "1"])
def test_rejects_a_float_field_that_is_no_finite_number(value):
    with pytest.raises(errors.InputError, match="by_name"):
        Outer(name="x", path=pathlib.Path("y"), by_name={"z": value})


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "nonsense"], ids=["empty", "cut", "list", "words"]
)
def test_a_file_that_is_no_json_object_is_one_clear_error(tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(errors.InputError, match=r"record\.json"):
        Outer.load(path)


def test_the_stored_form_names_the_class_and_version(tmp_path):
    _outer(tmp_path).save(tmp_path / "record.json")
    content = json.loads((tmp_path / "record.json").read_text())
    assert (content["record"], content["schema_version"]) == ("Outer", 1)
