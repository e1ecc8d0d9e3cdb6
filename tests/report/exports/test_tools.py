# SPDX-License-Identifier: Apache-2.0
"""Exports to tools that may not be installed."""

import importlib.util
import re

import pytest

from tests.report.page import example
from tflite_opt.records import errors
from tflite_opt.report.exports import hparams, mlflow_runs


@pytest.fixture
def content(tmp_path):
    loaded = example.evidence(tmp_path)
    # Trials are directories, which a hostile name would leave.
    return example.content(loaded[:2])


def test_a_tool_that_is_missing_is_named(content, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(errors.InputError, match="pip install tensorboard"):
        hparams.write(content, tmp_path)
    with pytest.raises(errors.InputError, match="pip install mlflow"):
        mlflow_runs.write(content, [], "file:///nowhere")


def test_tensorboard_reads_a_trial_of_each_variant(content, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing import event_accumulator

    hparams.write(content, tmp_path / "trials")
    found = event_accumulator.EventAccumulator(str(tmp_path / "trials/int8"))
    found.Reload()
    tags = found.Tags()["scalars"]
    assert {"size_bytes", "top-1", "latency_ms"} <= set(tags)
    assert found.Scalars("size_bytes")[0].value == 1000
    assert (
        "hparams"
        in found.SummaryMetadata(
            "_hparams_/session_start_info"
        ).plugin_data.plugin_name
    )


def test_mlflow_has_a_run_for_each_variant(content, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    artifact = tmp_path / "report.html"
    artifact.write_text("page")
    uri = (tmp_path / "store").as_uri()
    mlflow_runs.write(content, [artifact], uri)
    runs = mlflow.MlflowClient(uri).search_runs(
        [mlflow.get_experiment_by_name("tflite_opt").experiment_id]
    )
    by_name = {run.info.run_name: run for run in runs}
    assert set(by_name) == {f"{example.MODEL} on digits", "float32", "int8"}
    assert by_name["int8"].data.metrics["size_bytes"] == 1000
    assert by_name["int8"].data.tags["recommended"] == "True"


def test_mlflow_says_why_it_cannot_log(content, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    message = "MLflow cannot log there. Received: mlflow_uri='unknown://x'"
    with pytest.raises(errors.OutputError, match=re.escape(message)):
        mlflow_runs.write(content, [], "unknown://x")
