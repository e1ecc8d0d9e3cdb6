# SPDX-License-Identifier: Apache-2.0
"""The lab notebook runs from top to bottom, in a folder of its own."""

import os
import pathlib

import nbclient
import nbformat
import pytest

_ROOT = pathlib.Path(__file__).parents[1]
_PATH = _ROOT / "examples" / "quantization_pruning_lab.ipynb"
# Of each cell; on two cores that do nothing else, all take less.
_TIMEOUT_S = 180


def _notebook():
    return nbformat.read(_PATH, as_version=4)


def test_it_is_committed_without_outputs():
    notebook = _notebook()
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def test_it_tells_what_why_and_when_not():
    text = "\n".join(
        cell.source
        for cell in _notebook().cells
        if cell.cell_type == "markdown"
    )
    assert text.count("**What.**") >= 8
    assert text.count("**When not.**") >= 4


@pytest.mark.slow
def test_it_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(_ROOT), prepend=os.pathsep)
    client = nbclient.NotebookClient(
        _notebook(),
        timeout=_TIMEOUT_S,
        resources={"metadata": {"path": str(tmp_path)}},
    )
    done = client.execute()
    text = "".join(
        output.get("text", "")
        for cell in done.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    for expected in (
        "weights quantized  100%",
        "acceptable?",
        "prune80_int8",
        "SNR: signal-to-noise ratio",
        "mixed",
        "zeros in the .tflite",
    ):
        assert expected in text
    assert (tmp_path / "runs/lab/report/report/report.md").is_file()
