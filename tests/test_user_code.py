# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tflite_opt import user_code
from tflite_opt.records import errors


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Returns a function that writes a user's module of that name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)

    return write


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("package.module:function", True),
        ("module:Class.method", True),
        ("module", False),
        ("a/b.h5", False),
        ("npz:my file.npz", False),
        ("C:\\model.h5", False),
    ],
)
def test_knows_a_reference_by_its_form(text, expected):
    assert user_code.is_reference(text) == expected


def test_finds_and_calls_what_a_reference_names(module):
    module("theirs_a", "def add(a, b):\n    return a + b\n")
    assert user_code.call("theirs_a:add", 2, 3) == 5


def test_the_current_directory_is_searched(tmp_path, monkeypatch):
    (tmp_path / "theirs_b.py").write_text("VALUE = 7\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [p for p in __import__("sys").path if p])
    assert user_code.find("theirs_b:VALUE") == 7


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("theirs", "package.module:NAME. Received: 'theirs'"),
        ("no_such_module:f", "No module 'no_such_module'."),
        ("theirs_c:missing", "must define 'missing'. Received: present."),
        ("theirs_c:present", "must be a function. Received: int"),
    ],
)
def test_says_what_is_not_there(module, reference, message):
    module("theirs_c", "present = 1\n")
    with pytest.raises(errors.InputError, match=re.escape(message)):
        user_code.call(reference)


def test_their_traceback_is_kept_without_ours(module):
    module(
        "theirs_d",
        "def outer():\n    return inner()\n\n\n"
        "def inner():\n    raise ValueError('too\\nlong')\n",
    )
    with pytest.raises(errors.UserCodeError) as caught:
        user_code.call("theirs_d:outer")
    assert "theirs_d:outer raised ValueError" in str(caught.value)
    assert "(theirs_d.py:6)" in str(caught.value)
    text = caught.value.traceback_text
    assert text.startswith("Traceback of your code, theirs_d:outer:\n")
    assert "in outer" in text
    assert "in inner" in text
    assert "user_code.py" not in text


def test_a_call_that_does_not_fit_names_no_line_of_ours(module):
    module("theirs_g", "def none():\n    return 1\n")
    with pytest.raises(errors.UserCodeError) as caught:
        user_code.call("theirs_g:none", 1)
    assert str(caught.value).endswith("1 was given")
    assert "user_code" not in caught.value.traceback_text


def test_a_module_that_fails_while_it_is_imported_is_theirs(module):
    module("theirs_e", "import no_such_thing\n")
    with pytest.raises(errors.UserCodeError, match="no_such_thing"):
        user_code.find("theirs_e:f")


def test_the_traceback_survives_the_way_out_of_a_child(module):
    module("theirs_f", "def fail():\n    raise KeyError('x')\n")
    with pytest.raises(errors.UserCodeError) as caught:
        user_code.call("theirs_f:fail")
    again = errors.from_child(**errors.to_parent(caught.value))
    assert isinstance(again, errors.UserCodeError)
    assert str(again) == str(caught.value)
    assert again.traceback_text == caught.value.traceback_text
