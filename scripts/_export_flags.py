# SPDX-License-Identifier: Apache-2.0
"""The flags that hand a report to other tools."""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.records import report, run_directory
from tflite_opt.report import build
from tflite_opt.report.exports import hparams, mlflow_runs, model_explorer

_MODEL_EXPLORER = flags.DEFINE_bool(
    "model_explorer",
    False,
    "Write node data for Model Explorer: MACs, times and errors by operation.",
)
_HPARAMS_DIR = flags.DEFINE_string(
    "hparams_dir",
    None,
    "Write the variants as trials for TensorBoard's HParams dashboard here.",
)
_MLFLOW_URI = flags.DEFINE_string(
    "mlflow_uri", None, "Log the variants to this MLflow server or store."
)


def export(
    run: run_directory.RunDirectory,
    content: report.Report,
    paths: Sequence[pathlib.Path],
) -> list[str]:
    """Writes what the flags ask for, and returns a line on each.

    Raises:
        InputError: If a tool is not installed.
        OutputError: If it cannot be written.
    """
    lines = []
    if _MODEL_EXPLORER.value:
        folder = build.RunRecords(run).report / "model_explorer"
        written = model_explorer.write(build.evidence(run), folder)
        lines.append(f"Model Explorer: {len(written)} files in {folder}")
    if _HPARAMS_DIR.value is not None:
        hparams.write(content, pathlib.Path(_HPARAMS_DIR.value))
        lines.append(f"TensorBoard: --logdir {_HPARAMS_DIR.value}")
    if _MLFLOW_URI.value is not None:
        mlflow_runs.write(content, paths, _MLFLOW_URI.value)
        lines.append(f"MLflow: {_MLFLOW_URI.value}")
    return lines
