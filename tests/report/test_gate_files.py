# SPDX-License-Identifier: Apache-2.0
from tests import factories
from tflite_opt.report import gate_files, gate_text

_RESULT = factories.gate_result("pass", "fail")


def _write(environment=None, **paths):
    values = {"junit_xml": None, "markdown": None}
    return list(
        gate_files.write(
            _RESULT, **values | paths, environment=environment or {}
        )
    )


def test_nothing_is_written_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _write() == []
    assert list(tmp_path.iterdir()) == []


def test_files_are_written_where_they_are_asked_for(tmp_path):
    xml, page = tmp_path / "new" / "gate.xml", tmp_path / "gate.md"
    assert _write(junit_xml=str(xml), markdown=str(page)) == []
    assert xml.read_bytes() == gate_text.junit_xml(_RESULT)
    assert page.read_text() == gate_text.markdown(_RESULT)


def test_github_gets_a_summary_after_others_and_annotations(tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("Before.\n")
    lines = _write({"GITHUB_STEP_SUMMARY": str(summary)})
    assert lines == []
    assert summary.read_text() == "Before.\n" + gate_text.markdown(_RESULT)
    assert _write({"GITHUB_ACTIONS": "true"}) == list(
        gate_text.annotations(_RESULT)
    )
