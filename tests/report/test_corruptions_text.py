# SPDX-License-Identifier: Apache-2.0
from tests import factories
from tflite_opt.report import corruptions_text


def test_each_line_names_its_data():
    results = [
        factories.evaluated(factories.tflite("float32"), split="test-noise3"),
        factories.evaluated(
            factories.tflite("int8"), factories.drop(0.02), split="test-noise3"
        ),
    ]
    lines = corruptions_text.table(results).splitlines()
    assert "top1 (95 % CI)" in lines[0]
    assert lines[2].split()[:2] == ["test-noise3", "float32"]
    assert lines[3].split()[:2] == ["test-noise3", "int8"]
    assert "+2.00% (+1.00% to +3.00%)" in lines[3]
