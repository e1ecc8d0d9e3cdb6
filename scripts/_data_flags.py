# SPDX-License-Identifier: Apache-2.0
"""The flags that name a data set and its splits."""

from absl import flags

from tflite_opt.data import dataset, sources
from tflite_opt.keras_models import reference

_DEFAULTS = dataset.DataSpec(source="digits")

_DATASET = flags.DEFINE_string(
    "dataset",
    None,
    f"{', '.join(sources.NAMES)}, or npz:FILE. Default: what a reference model "
    f"is for, else {_DEFAULTS.source}.",
)
_DATA_CACHE = flags.DEFINE_string(
    "data_cache", None, "Keras' cache; default $KERAS_HOME, else ~/.keras."
)
_DATA_SEED = flags.DEFINE_integer(
    "data_seed", _DEFAULTS.seed, "Decides the splits."
)
_LIMIT = flags.DEFINE_integer(
    "limit",
    _DEFAULTS.limit,
    "At most this many examples of each split; 0 for all.",
)
_NUM_CALIBRATION = flags.DEFINE_integer(
    "num_calibration",
    _DEFAULTS.num_calibration,
    "Samples of the representative dataset, taken from the train split.",
)


def data_spec(model: str | None = None) -> dataset.DataSpec:
    """Returns the data set that the flags name.

    Args:
        model: Value of --model, if the program has it.
    """
    default = _DEFAULTS.source
    if model in reference.names():
        default = reference.default_dataset(model)
    return dataset.DataSpec(
        source=_DATASET.value or default,
        data_cache=_DATA_CACHE.value,
        seed=_DATA_SEED.value,
        limit=_LIMIT.value,
        num_calibration=_NUM_CALIBRATION.value,
    )
