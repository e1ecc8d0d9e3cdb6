# SPDX-License-Identifier: Apache-2.0
r"""Evaluates .tflite files on a data set, without TensorFlow.

    python -m scripts.evaluate runs/demo/artifacts/float32.tflite \
        runs/demo/artifacts/int8.tflite --dataset=digits

The first file is the baseline of the paired differences. With --golden, no
data set is needed: the golden vectors beside each file are replayed and nothing
is written. Exit code 0 when all files were evaluated or replayed well, 1 when a
replay failed, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt import stages
from tflite_opt.data import dataset, sources
from tflite_opt.evaluation import replay
from tflite_opt.report import evaluation_text, golden_text

from . import _cli, _data_flags, _evaluation_flags, _golden_flags, _run_flags

_SPLIT = flags.DEFINE_enum(
    "split", "test", list(dataset.SPLIT_NAMES), "Which examples."
)
_KERAS_OUTPUTS = flags.DEFINE_string(
    "keras_outputs",
    None,
    "The Keras model's outputs on the split, as conversion leaves them in "
    "float/keras_outputs.<split>.npz: adds the agreement.",
)


def main(arguments: Sequence[str]) -> int:
    """Evaluates the given files."""
    artifacts = _cli.tflite_files(arguments)
    if _golden_flags.is_asked_for():
        replayed = replay.replay(artifacts, _golden_flags.path())
        _cli.emit(
            [result.to_json() for result in replayed],
            golden_text.table(replayed),
        )
        return int(not all(result.ok for result in replayed))
    options = _evaluation_flags.evaluation_options()
    data = sources.load(_data_flags.data_spec())
    run = _run_flags.run()
    reference = _KERAS_OUTPUTS.value
    results = stages.evaluate(
        artifacts,
        data,
        _SPLIT.value,
        options,
        run,
        pathlib.Path(reference) if reference else None,
    )
    _cli.emit(
        [result.to_json() for result in results],
        f"{evaluation_text.table(results)}\n\n"
        f"Records: {run.path('evaluations')}",
    )
    return 0


if __name__ == "__main__":
    _cli.run(main)
