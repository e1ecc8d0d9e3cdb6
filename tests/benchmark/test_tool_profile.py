# SPDX-License-Identifier: Apache-2.0
import pathlib

import pytest

from tflite_opt.benchmark import tool_output, tool_profile
from tflite_opt.records import errors
from tflite_opt.records import tool_output as records

_FOLDER = pathlib.Path(__file__).parent / "tool_outputs"


def _operations(name):
    stderr = _FOLDER / f"{name}.stderr.txt"
    return tool_output.parse(
        (_FOLDER / f"{name}.txt").read_text(),
        stderr.read_text() if stderr.exists() else "",
    ).operations


@pytest.mark.parametrize(
    "name", ["profile_with_start", "profile_without_start"]
)
def test_the_header_decides_about_columns(name):
    operations = _operations(name)
    assert [x.phase for x in operations] == ["init"] * 2 + ["run"] * 3
    assert operations[0] == records.OperationTime(
        phase="init",
        graph="",
        node_type="ModifyGraphWithDelegate",
        name="ModifyGraphWithDelegate/0",
        avg_ms=6.348,
        fraction=55.64 / 100,
        memory_bytes=7_148_000,
        times_called=1,
    )
    assert operations[3] == records.OperationTime(
        phase="run",
        graph="",
        node_type="Convolution (NHWC, QC8) IGEMM",
        name="Delegate/Convolution (NHWC, QC8) IGEMM:0",
        avg_ms=0.407,
        fraction=2.658 / 100,
        memory_bytes=0,
        times_called=1,
    )
    # Several partitions share a name; the average is that of one call.
    assert operations[4].times_called == 2


def test_subgraphs_and_delegates_without_events_are_told_apart():
    found = [(x.graph, x.node_type) for x in _operations("profile_subgraphs")]
    assert found == [
        ("main", "WHILE"),
        ("while_body", "FULLY_CONNECTED"),
        ("delegate", "Add (ND)"),
    ]


def test_litert_aligns_with_spaces_and_lists_the_delegates_operators():
    operations = _operations("profile_litert")
    assert [x.node_type for x in operations] == [
        "TfLiteXNNPackDelegate",
        "SOFTMAX",
        "Convolution (NHWC, QC8) IGEMM",
        "Fully Connected (NC, QS8, QC8W) GEMM",
    ]
    assert operations[0].name == "[Delegate]:64"
    assert operations[0].fraction == 99.342 / 100
    assert operations[2] == records.OperationTime(
        phase="run",
        graph="delegate",
        node_type="Convolution (NHWC, QC8) IGEMM",
        name="Delegate/Convolution (NHWC, QC8) IGEMM",
        avg_ms=0.01431,
        fraction=None,
        memory_bytes=None,
        times_called=2310,
    )


@pytest.mark.parametrize("name", ["profile", "profile_with_start"])
def test_csv_is_read_from_the_right_because_types_contain_commas(name):
    text = (_FOLDER / f"{name}.csv").read_text()
    operations = tool_profile.parse_csv(text)
    assert operations == _operations("profile_without_start")[2:]


def test_time_that_nothing_took_has_no_shares():
    text = (_FOLDER / "profile.csv").read_text().replace("1.328%", "-nan%")
    assert tool_profile.parse_csv(text)[0].fraction is None


def test_a_file_without_a_profile_is_an_error():
    with pytest.raises(errors.BenchmarkError, match="'node type, first'"):
        tool_profile.parse_csv("node type, first")


def test_a_cut_line_is_an_error():
    text = (_FOLDER / "profile.csv").read_text()
    cut = text[: text.index("2.658%")]
    with pytest.raises(errors.BenchmarkError, match="columns of its header"):
        tool_profile.parse_csv(cut)
