# SPDX-License-Identifier: Apache-2.0
import pathlib

from tflite_opt.records import golden
from tflite_opt.report import golden_text


def _result(within=8, **fields):
    values = {
        "model": pathlib.Path("/nowhere/int8.tflite"),
        "sha256": "0" * 64,
        "is_own": True,
        "delegate": "none",
        "num_examples": 8,
        "outputs": (
            golden.OutputReplay(
                name="scores",
                max_absolute_difference=0.004,
                min_tolerance=0.01,
                max_tolerance=0.02,
                examples_within=within,
                cosine_similarity=0.99999,
                top1_agreement=1.0,
            ),
        ),
    }
    return golden.GoldenResult(**values | fields)


def test_a_replay_that_passes_is_one_line():
    line = golden_text.table([_result()]).splitlines()[-1]
    assert " ".join(line.split()) == (
        "int8 builtin scores 0.004 0.01 to 0.02 8 of 8 0.999990 100% pass"
    )


def test_a_failure_says_where_to_look():
    text = golden_text.table([_result(within=3)])
    assert "3 of 8" in text
    assert "FAIL" in text
    assert "swapped inputs" in text


def test_vectors_of_another_file_are_marked():
    text = golden_text.table([_result(is_own=False)])
    assert "int8.tflite is not the file" in text
