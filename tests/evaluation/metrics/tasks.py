# SPDX-License-Identifier: Apache-2.0
"""Tasks and batches for metrics, without a model behind them."""

import numpy as np

from tflite_opt.evaluation.metrics import base, task


def a_task(
    output: np.ndarray,
    labels: np.ndarray | None,
    inputs: np.ndarray | None = None,
    originals: np.ndarray | None = None,
) -> task.Task:
    inputs = np.zeros((len(output), 8, 8, 1)) if inputs is None else inputs
    return task.Task(
        model="int8",
        input_shapes={"x": inputs.shape[1:]},
        output_shapes={"y": output.shape[1:]},
        labels=labels,
        originals=None if originals is None else {"y": originals},
    )


def statistics(
    metric: base.Metric,
    output: np.ndarray,
    labels: np.ndarray | None = None,
    inputs: np.ndarray | None = None,
    original: np.ndarray | None = None,
) -> base.Statistics:
    """Returns what a metric keeps after two batches, with the labels."""
    parts = []
    for part in (slice(0, 1), slice(1, None)):
        batch = task.Batch(
            inputs={} if inputs is None else {"x": inputs[part]},
            outputs={"y": output[part]},
            labels=None if labels is None else labels[part],
            originals=None if original is None else {"y": original[part]},
        )
        parts.append(metric.statistics(batch))
    joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    kept = dict(metric.complete(joined))
    if labels is not None and labels.ndim == 1:
        kept["labels"] = labels
    return kept


def value(metric: base.Metric, kept: base.Statistics) -> float:
    return metric.measure(kept).value
