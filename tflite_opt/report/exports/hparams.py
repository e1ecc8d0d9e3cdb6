# SPDX-License-Identifier: Apache-2.0
"""Variants as trials of TensorBoard's HParams dashboard."""

import pathlib
import time

from tflite_opt import optional_package
from tflite_opt.records import report
from tflite_opt.report.exports import row_values


def write(content: report.Report, folder: pathlib.Path) -> None:
    """Writes a trial for each variant.

    Args:
        content: The report.
        folder: Gets a directory for each variant.

    Raises:
        InputError: If TensorBoard is not installed.
    """
    optional_package.require("tensorboard", "--hparams_dir")
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.plugins.hparams import summary_v2
    from tensorboard.summary.writer import event_file_writer

    for row in content.rows:
        place = folder / row.name
        place.mkdir(parents=True, exist_ok=True)
        writer = event_file_writer.EventFileWriter(str(place))
        chosen = summary_v2.hparams_pb(
            row_values.parameters(row), trial_id=row.name
        )
        measured = summary_pb2.Summary(
            value=[
                summary_pb2.Summary.Value(tag=tag, simple_value=value)
                for tag, value in row_values.metrics(row).items()
            ]
        )
        for summary in (chosen, measured):
            event = event_pb2.Event(wall_time=time.time(), summary=summary)
            writer.add_event(event)
        writer.close()
