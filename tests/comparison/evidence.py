# SPDX-License-Identifier: Apache-2.0
"""Evidence for tests, with launches that took turns."""

import pathlib
from typing import Any

import numpy as np

from tests import factories
from tflite_opt.comparison import stored
from tflite_opt.records import benchmark, evaluation, files

NOISE = np.random.default_rng(0).normal(0, 0.005, (2, 10))


def measured(
    name: str, factor: float = 1.0, turn: int = 0, **fields: Any
) -> benchmark.BenchmarkResult:
    """Returns a result of 10 launches; turn 1 is the candidate's."""
    medians = factor * np.exp(NOISE[turn])
    values: dict[str, Any] = {
        "launches": factories.launches(medians, turn=turn),
        "median_ms": factor,
    }
    return factories.result(factories.tflite(name), **values | fields)


def evidence(
    name: str, factor: float = 1.0, turn: int = 0, **fields: Any
) -> stored.Evidence:
    result = measured(name, factor, turn)
    values: dict[str, Any] = {"artifact": result.artifact, "result": result}
    return stored.Evidence(**values | fields)


def evaluated(
    folder: pathlib.Path, name: str, wrong: int, num_examples: int = 1000
) -> evaluation.Evaluation:
    """Returns an evaluation whose last `wrong` predictions are wrong."""
    labels = np.arange(num_examples) % 10
    predictions = labels.copy()
    if wrong:
        predictions[-wrong:] += 1
    path = folder / f"{name}.npz"
    files.write_npz(
        path,
        {
            "ids": np.arange(num_examples),
            "labels": labels,
            "predictions": predictions,
        },
    )
    return factories.evaluated(
        factories.tflite(name),
        split="test",
        num_examples=num_examples,
        metrics=(factories.accuracy(1 - wrong / num_examples),),
        predictions_path=path,
        predictions_sha256=files.sha256_of_file(path),
    )
