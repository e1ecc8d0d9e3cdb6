# SPDX-License-Identifier: Apache-2.0
"""The table of evaluations under corruptions."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import evaluation
from tflite_opt.report import evaluation_text


def table(results: Sequence[evaluation.Evaluation]) -> str:
    """Returns one line for each model on each split.

    Args:
        results: By split, the first model of each is the baseline there.
    """
    headers = (
        "data",
        "model",
        f"{results[0].metric.name} (95 % CI)",
        "loss vs first under the same",
        "verdict",
    )
    rows = [
        (
            result.split,
            result.artifact.name,
            evaluation_text.metric(result.metric),
            evaluation_text.loss(result.drop),
            evaluation_text.verdict(result.drop),
        )
        for result in results
    ]
    return tabulate.tabulate(rows, headers, disable_numparse=True)
