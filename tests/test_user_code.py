# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tflite_opt import user_code
from tflite_opt.records import errors


def test_loads_what_is_named():
    assert user_code.load("math:sqrt")(9) == 3


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("math", "named as package.module:function"),
        (":sqrt", "named as package.module:function"),
        ("no_such_package.module:f", "There must be a module"),
        ("tests.no_such_module:f", "There must be a module"),
        ("math:no_such_function", "must have a function 'no_such_function'"),
        ("math:pi", "must have a function 'pi'"),
    ],
)
def test_refuses_what_is_no_function(reference, message):
    with pytest.raises(errors.InputError, match=re.escape(message)) as caught:
        user_code.load(reference)
    assert not isinstance(caught.value, errors.UserCodeError)
    assert f"Received: {reference!r}" in str(caught.value)


def test_a_module_that_raises_is_theirs(tmp_path, monkeypatch):
    (tmp_path / "raising_module.py").write_text("import no_such_dependency")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(errors.UserCodeError, match="'no_such_dependency'"):
        user_code.load("raising_module:f")
