# SPDX-License-Identifier: Apache-2.0
from tflite_opt.report import build, notes_text, write


def test_equal_notes_are_said_once():
    found = notes_text.lines(
        [
            ("int8", ("Ranges of 64 samples.",)),
            ("float16", ()),
            ("fixed", ("Ranges of 64 samples.", "Biases corrected.")),
        ]
    )
    assert found == [
        "int8, fixed: Ranges of 64 samples.",
        "fixed: Biases corrected.",
    ]


def test_the_report_says_where_ranges_come_from(finished_run):
    content = build.build(finished_run)
    (int8,) = (row for row in content.rows if row.name == "int8")
    assert int8.notes[0].startswith("Ranges are those of 100 samples; ")
    text = write.to_markdown(content)
    assert f"- int8: {int8.notes[0]}" in text
    assert "## Ranges, corrections, slimming" in text
