# SPDX-License-Identifier: Apache-2.0
"""Variants as runs of an MLflow experiment."""

import pathlib
from collections.abc import Sequence

from tflite_opt import optional_package
from tflite_opt.records import errors, report
from tflite_opt.report.exports import row_values

_EXPERIMENT = "tflite_opt"


def write(
    content: report.Report, paths: Sequence[pathlib.Path], uri: str
) -> None:
    """Logs a run with the report's files, and one in it for each variant.

    Args:
        content: The report.
        paths: Its files.
        uri: Of the tracking server, or of its store.

    Raises:
        InputError: If MLflow is not installed.
        OutputError: If it cannot log there.
    """
    optional_package.require("mlflow", "--mlflow_uri")
    import mlflow

    description = content.description
    try:
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment(_EXPERIMENT)
        title = f"{description.model.path.name} on {description.dataset}"
        with mlflow.start_run(run_name=title):
            mlflow.log_param("command", content.command)
            mlflow.log_params(
                {f"version {k}": v for k, v in content.versions.items()}
            )
            for path in paths:
                mlflow.log_artifact(str(path))
            for row in content.rows:
                with mlflow.start_run(run_name=row.name, nested=True):
                    mlflow.log_params(row_values.parameters(row))
                    mlflow.log_metrics(row_values.metrics(row))
                    mlflow.set_tag("recommended", row.is_recommended)
    except mlflow.exceptions.MlflowException as error:
        reason = str(error).splitlines()[0]
        raise errors.OutputError(
            f"MLflow cannot log there. Received: mlflow_uri={uri!r}: {reason}"
        ) from error
