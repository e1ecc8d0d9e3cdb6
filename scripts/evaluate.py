# SPDX-License-Identifier: Apache-2.0
r"""Evaluates .tflite files on a data set, without TensorFlow.

    python -m scripts.evaluate runs/demo/artifacts/float32.tflite \
        runs/demo/artifacts/int8.tflite --dataset=digits

The first file is the baseline of the paired differences, also under each of
--corruptions. With --golden, no data set is needed: the golden vectors beside
each file are replayed and nothing is written. Exit code 0 when all files were
evaluated or replayed well, 1 when a replay failed, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt import stages
from tflite_opt.data import dataset, sources
from tflite_opt.evaluation import replay
from tflite_opt.records import artifact
from tflite_opt.report import corruptions_text, evaluation_text, golden_text

from . import (
    _cli,
    _corruption_flags,
    _data_flags,
    _evaluation_flags,
    _golden_flags,
    _run_flags,
)

_SPLIT = flags.DEFINE_enum(
    "split", "test", list(dataset.SPLIT_NAMES), "Which examples."
)
_KERAS_OUTPUTS = flags.DEFINE_string(
    "original_outputs",
    None,
    "The original model's outputs on the split, as conversion leaves them in "
    "float/original_outputs.<split>.npz: adds the agreement.",
)


def main(arguments: Sequence[str]) -> int:
    """Evaluates the given files."""
    artifacts = _cli.tflite_files(arguments)
    if _golden_flags.is_asked_for():
        return _replay(artifacts)
    options = _evaluation_flags.evaluation_options()
    spec = _data_flags.data_spec()
    shifts = _corruption_flags.shifts(spec.seed)
    data = sources.load(spec)
    run = _run_flags.run()
    path = _KERAS_OUTPUTS.value
    reference = pathlib.Path(path) if path else None
    split = _SPLIT.value
    results = stages.evaluate(artifacts, data, split, options, run, reference)
    text = evaluation_text.table(results)
    if shifts:
        results += stages.evaluate_corrupted(
            artifacts, data, split, shifts, options, run
        )
        text += f"\n\n{corruptions_text.table(results)}"
    _cli.emit(
        [result.to_json() for result in results],
        f"{text}\n\nRecords: {run.path('evaluations')}",
    )
    return 0


def _replay(artifacts: Sequence[artifact.Artifact]) -> int:
    results = replay.replay(artifacts, _golden_flags.path())
    _cli.emit(
        [result.to_json() for result in results], golden_text.table(results)
    )
    return int(not all(result.ok for result in results))


if __name__ == "__main__":
    _cli.run(main)
