# SPDX-License-Identifier: Apache-2.0
from tests import factories
from tflite_opt.report import data_check_text


def test_samples_stand_above_the_train_split():
    lines = data_check_text.table(factories.data_check()).splitlines()
    assert " ".join(lines[2].split()) == (
        "image 8x8x1 float32 200 0 1 0.31 0.38 1.50% 2 1 3 1 of 3 0.97"
    )
    assert " ".join(lines[3].split()) == "(train) 1,000 0 1 0.3 0.37"
    assert lines[-1] == "9 of 10 classes have a sample"


def test_findings_follow_the_numbers():
    text = data_check_text.describe(factories.data_check())
    assert "warning too-few-samples: 50 representative samples" in text


def test_what_does_not_exist_is_left_out():
    check = factories.data_check(
        classes_covered=None, num_classes=None, findings=()
    )
    text = data_check_text.describe(check)
    assert "classes" not in text
    assert "nothing found" in text


def test_a_summary_has_the_warnings_only():
    assert data_check_text.warning_lines(factories.data_check()) == [
        "WARNING representative data: 50 representative samples."
    ]
    assert data_check_text.warning_lines(None) == []


def test_markdown_has_the_findings_with_reasons():
    lines = data_check_text.markdown(factories.data_check())
    assert lines[0].startswith("| input")
    assert lines[-1] == (
        "- **too-few-samples** (warning): 50 representative samples. "
        "Rare large activations may be missing. Take more."
    )
