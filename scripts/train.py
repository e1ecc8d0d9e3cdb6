# SPDX-License-Identifier: Apache-2.0
r"""Trains a reference model and tests it once.

    python -m scripts.train --model=sample_cnn --dataset=digits \
        --output_model=runs/digits.h5

Beside the model goes `<stem>.training.json`: options, losses, and the test
accuracy with its 95 % interval. --data_seed decides which examples are for
testing: use the same one when the model is optimized. Exit code 0 when there
is a model, 2 for bad input and for training that diverges.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.keras_models import reference, train_reference

from . import _cli, _data_flags, _reference_flags, _training_flags

_MODEL = flags.DEFINE_enum(
    "model", "sample_cnn", reference.names(), "The reference model to train."
)
_OUTPUT_MODEL = flags.DEFINE_string(
    "output_model", None, "Path of the model, .h5 or .keras.", required=True
)
_OVERWRITE = flags.DEFINE_boolean("overwrite", False, "Replace that file.")


def main(arguments: Sequence[str]) -> None:
    """Trains what the flags say and prints where it is."""
    _cli.reject_positional(arguments)
    request = train_reference.Request(
        model=_MODEL.value,
        model_options=_reference_flags.model_options(),
        data=_data_flags.data_spec(_MODEL.value),
        options=_training_flags.training_options(),
        path=pathlib.Path(_OUTPUT_MODEL.value),
        overwrite=_OVERWRITE.value,
    )
    trained = train_reference.train(request)
    test = trained.test
    _cli.emit(
        trained.to_json(),
        f"{trained.artifact.path}: test {test.name} {test.value:.4f} "
        f"[{test.low:.4f}, {test.high:.4f}] on {trained.num_test} examples",
    )


if __name__ == "__main__":
    _cli.run(main)
