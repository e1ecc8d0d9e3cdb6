# SPDX-License-Identifier: Apache-2.0
"""In which order launches happen."""

import logging
import random
from collections.abc import Callable, Sequence

from tflite_opt import progress
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors

_LOG = logging.getLogger(__name__)


def interleave(
    artifacts: Sequence[artifact_record.Artifact],
    options: benchmark.RuntimeOptions,
    launch_once: Callable[[artifact_record.Artifact, int], None],
) -> dict[str, str]:
    """Launches all, each once in every block, in random order.

    Args:
        artifacts: With different names.
        options: Say how many launches, and seed the order.
        launch_once: Gets an artifact and the index of its launch; raises
            BenchmarkError if it fails.

    Returns:
        The messages of those that failed, by name; they are not launched
        again.
    """
    order = random.Random(options.seed)
    failures: dict[str, str] = {}
    with progress.track("benchmark", options.launches * len(artifacts)) as bar:
        for index in range(options.launches):
            block = list(artifacts)
            order.shuffle(block)
            for artifact in block:
                bar.step(f"{artifact.name}, launch {index + 1}")
                if artifact.name in failures:
                    continue
                try:
                    launch_once(artifact, index)
                except errors.BenchmarkError as error:
                    failures[artifact.name] = str(error)
                    _LOG.warning("%s", error)
    return failures
