# SPDX-License-Identifier: Apache-2.0
"""Any file is linted or refused with one error."""

import random

import pytest

from tests.lint import nets
from tests.tflite.test_damaged_files import _damaged
from tflite_opt.lint import rule
from tflite_opt.records import errors
from tflite_opt.tflite import facts


def _contents():
    return [
        nets.mobile().content(),
        nets.mobile(pad=False, zeros=0.5, encoded=False).content(),
        nets.stored_twice(differ=0).content(),
        nets.chain(
            ("DEQUANTIZE", "float32"), ("ELU", "float32"), ("QUANTIZE", "int8")
        ).content(),
        nets.convolution("float32", "int8", depthwise=True).content(),
    ]


def _lint_damaged(count, tmp_path, seed):
    generator = random.Random(seed)
    contents = _contents()
    path = tmp_path / "damaged.tflite"
    messages = []
    for _ in range(count):
        path.write_bytes(_damaged(generator.choice(contents), generator))
        try:
            found = facts.read_facts(path, delegation=False, values=True)
            rule.lint(found, path)
        except errors.ModelError as error:
            messages.append(str(error))
    assert count / 10 < len(messages) < count
    assert not [message for message in messages if "\n" in message]


def test_damaged_files_are_linted_or_refused(tmp_path):
    _lint_damaged(500, tmp_path, seed=0)


@pytest.mark.slow
def test_ten_thousand_damaged_files_are_linted_or_refused(tmp_path):
    _lint_damaged(10_000, tmp_path, seed=1)
