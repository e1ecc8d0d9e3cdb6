# SPDX-License-Identifier: Apache-2.0
"""The flags that name a data set and its splits."""

from absl import flags

from tflite_opt.data import dataset

_DEFAULTS = dataset.DataSpec(source="digits")

_DATASET = flags.DEFINE_string(
    "dataset",
    _DEFAULTS.source,
    "digits, mnist, fashion_mnist, cifar10, or npz:FILE.",
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


def data_spec() -> dataset.DataSpec:
    """Returns the data set that the flags name."""
    return dataset.DataSpec(
        source=_DATASET.value,
        data_cache=_DATA_CACHE.value,
        seed=_DATA_SEED.value,
        limit=_LIMIT.value,
        num_calibration=_NUM_CALIBRATION.value,
    )
