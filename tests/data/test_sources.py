# SPDX-License-Identifier: Apache-2.0
import pathlib
import re
import subprocess
import sys

import pytest

from tests.data import fake_cache
from tflite_opt.data import dataset, kinds, sources
from tflite_opt.records import errors


def load(source, **fields):
    return sources.load(dataset.DataSpec(source=source, **fields))


@pytest.mark.parametrize("source", ["imagenet", "npz:", "digits:8", "zip:a"])
def test_unknown_source_names_the_known_ones(source):
    message = (
        f"`source` must be one of {', '.join(sources.forms())}. "
        f"Received: source={source!r}"
    )
    with pytest.raises(errors.DataError, match=re.escape(message)):
        load(source)


def test_names_come_before_forms_with_an_argument():
    forms = sources.forms()
    names = [form for form in forms if ":" not in form]
    assert list(forms[: len(names)]) == sorted(names)
    assert {"digits", "mnist", "sensor"} <= set(names)
    assert "npz:FILE" in forms


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            {"image_size": (8, 8)},
            "`image_size` is for images:DIR, images:FILE.zip, tfds:NAME only. "
            "Received: image_size=(8, 8), source='digits'",
        ),
        ({"resize": "pad"}, "resize='pad'"),
        ({"preprocessing": "caffe"}, "preprocessing='caffe'"),
        ({"label_column": "y"}, "`label_column` is for csv:FILE only."),
    ],
)
def test_rejects_an_option_that_would_have_no_effect(option, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        load("digits", **option)


def test_rejects_a_negative_seed():
    with pytest.raises(errors.InputError, match="seed=-1"):
        load("digits", seed=-1)


def test_each_kind_has_its_test():
    for path in pathlib.Path(kinds.__path__[0]).glob("[a-z]*.py"):
        test = pathlib.Path(__file__).parent / "kinds" / f"test_{path.name}"
        assert test.is_file(), test


def test_reading_a_cache_imports_nothing_that_is_slow(tmp_path):
    fake_cache.write_fashion_mnist(tmp_path)
    program = (
        "import sys\n"
        "from tflite_opt.data import dataset, representative, sources\n"
        "sources.load(dataset.DataSpec(source='fashion_mnist', "
        f"data_cache={str(tmp_path)!r}, limit=20))\n"
        "heavy = {'tensorflow', 'tf_keras', 'sklearn', 'scipy', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
