# SPDX-License-Identifier: Apache-2.0
r"""Shows what quantization did to each tensor, worst first, and what helps.

    python -m scripts.debug_quantization runs/demo/float/model.tflite \
        runs/demo/artifacts/int8.tflite --dataset=digits

The first file is the float model, the second what any tool made of it. Both
are run operation after operation on calibration samples, without TensorFlow;
no label is needed. Then each rung of the ladder of `--recipes=auto_int8` is
made from the float model on top of those before, to see what it does about
each tensor. Keras layers are named if the float file is that of a run. Exit
code 0 when there is a result, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.data import sources
from tflite_opt.ladder import debugging, diagnosis_text
from tflite_opt.records import errors, model_spec

from . import _cli, _data_flags

_RUNGS = flags.DEFINE_boolean(
    "rungs", True, "Whether the rungs of the ladder are tried."
)
_WORST = flags.DEFINE_integer(
    "worst", 20, "How many tensors the text shows; 0 for all.", lower_bound=0
)
_DIVERGES_BELOW_DB = flags.DEFINE_float(
    "diverges_below_db", 20.0, "A tensor noisier than this diverges."
)


def main(arguments: Sequence[str]) -> None:
    """Compares the given files."""
    if len(arguments) != 2:
        raise errors.InputError(
            "Give the float .tflite and what was made of it. "
            f"Received: {' '.join(arguments) or 'none'}."
        )
    parent, model = (item.path for item in _cli.tflite_files(arguments))
    data = sources.load(_data_flags.data_spec())
    found = debugging.diagnose(
        parent,
        model,
        debugging.samples_for(parent, data["calibration"]),
        _layers(parent),
        try_rungs=_RUNGS.value,
    )
    _cli.emit(
        {
            "given": found.given.to_json(),
            "rungs": [
                {
                    "name": trial.name,
                    "errors": trial.found.to_json() if trial.found else None,
                    "reason": trial.reason,
                }
                for trial in found.trials
            ],
        },
        diagnosis_text.describe(found, _WORST.value, _DIVERGES_BELOW_DB.value),
    )


def _layers(parent: pathlib.Path) -> tuple[str, ...]:
    """Returns the Keras layers that a run wrote beside its float model."""
    path = parent.with_name("model.json")
    if not path.is_file():
        return ()
    return model_spec.OpenedModel.load(path).layers


if __name__ == "__main__":
    _cli.run(main)
