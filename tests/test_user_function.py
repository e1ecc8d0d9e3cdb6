# SPDX-License-Identifier: Apache-2.0
import re
import sys

import pytest

from tflite_opt import user_function
from tflite_opt.records import errors


@pytest.fixture(autouse=True)
def own_module(tmp_path, monkeypatch):
    """Puts modules of a user's own into the current directory."""
    package = tmp_path / "theirs_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "good.py").write_text(
        "constant = 7\n"
        "def give(): return 42\n"
        "def fail(): return missing_name\n"
        "def leave(): raise SystemExit(3)\n"
    )
    (package / "broken.py").write_text("import no_such_library\n")
    (package / "unfinished.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    yield
    for name in [x for x in sys.modules if x.startswith("theirs_package")]:
        del sys.modules[name]


def test_loads_a_function_from_the_current_directory():
    assert user_function.load("theirs_package.good:give")() == 42


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (reference, f"as package.module:function. Received: '{reference}'")
        for reference in ("", "a", "a:", ":f", "a..b:f", "a/b.py:f", "a:f()")
    ]
    + [
        (
            "theirs_package.absent:f",
            "but there is no 'theirs_package.absent' in ",
        ),
        ("absent.module:f", "but there is no 'absent.module' in "),
        (
            "theirs_package.good:absent",
            "'theirs_package.good' must have the function 'absent'. "
            "Received: none in ",
        ),
        ("theirs_package.good:constant", "Received: something else in "),
    ],
)
def test_rejects_what_is_no_function(reference, message):
    with pytest.raises(errors.InputError, match=re.escape(message)) as caught:
        user_function.load(reference)
    assert not isinstance(caught.value, errors.UserCodeError)


@pytest.mark.parametrize(
    ("module", "kind"),
    [("broken", "ModuleNotFoundError"), ("unfinished", "SyntaxError")],
)
def test_a_module_that_cannot_be_imported_is_theirs(module, kind, caplog):
    reference = f"theirs_package.{module}:f"
    with pytest.raises(errors.UserCodeError, match=f"Received: {kind}: "):
        user_function.load(reference)
    assert f"Traceback of {reference}, not of this program:" in caplog.text


@pytest.mark.parametrize(
    ("name", "received"),
    [
        ("fail", "NameError: name 'missing_name' is not defined"),
        ("leave", "SystemExit: 3"),
    ],
)
def test_what_a_function_raises_is_theirs(name, received, caplog):
    reference = f"theirs_package.good:{name}"
    function = user_function.load(reference)
    with (
        pytest.raises(errors.UserCodeError) as caught,
        user_function.blamed(reference),
    ):
        function()
    assert str(caught.value) == (
        f"{reference} must not raise. Received: {received}. Its traceback is "
        "above."
    )
    lines = caplog.messages[1].splitlines()
    assert all(line.startswith("  | ") for line in lines)
    assert f"in {name}" in caplog.messages[1]


def test_errors_of_this_project_stay_what_they_are():
    with (
        pytest.raises(errors.ModelError, match="ours"),
        user_function.blamed("a:f"),
    ):
        raise errors.ModelError("ours")
