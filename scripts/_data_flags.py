# SPDX-License-Identifier: Apache-2.0
"""The flags that name a data set and its splits."""

import re
from typing import get_args

from absl import flags

from tflite_opt.data import dataset, sources
from tflite_opt.keras_models import reference
from tflite_opt.records import errors

_DEFAULTS = dataset.DataSpec(source="digits")

_DATASET = flags.DEFINE_string(
    "dataset",
    None,
    f"One of {', '.join(sources.forms())}. images: holds a folder for each "
    "class, or labels.csv with the columns file,label; below train, validation "
    "and test where these are apart. npz: holds x_train, y_train, x_test, "
    "y_test; several inputs are x_train/NAME. Without labels, everything but "
    "accuracy works. Default: what a reference model is for, else "
    f"{_DEFAULTS.source}.",
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
_IMAGE_SIZE = flags.DEFINE_string(
    "image_size",
    None,
    "Size that images are brought to: 224, or HEIGHTxWIDTH as in 96x128; "
    "default the size that they all have.",
)
_RESIZE = flags.DEFINE_enum(
    "resize",
    _DEFAULTS.resize,
    list(get_args(dataset.Resize)),
    "How: change the proportions, cut off what is too long, or add black.",
)
_PREPROCESSING = flags.DEFINE_enum(
    "preprocessing",
    _DEFAULTS.preprocessing,
    list(get_args(dataset.Preprocessing)),
    "What the model expects of pixels x from 0 to 255: x; x/255; x/127.5-1 "
    "(Keras' tf); (x/255-mean)/std by colour (Keras' torch); x-mean in blue, "
    "green, red (Keras' caffe).",
)
_LABEL_COLUMN = flags.DEFINE_string(
    "label_column",
    None,
    "Column of a table with the labels; without it they are unlabelled.",
)


def data_spec(model: str | None = None) -> dataset.DataSpec:
    """Returns the data set that the flags name.

    Args:
        model: Value of --model, if the program has it.

    Raises:
        InputError: If a value is out of its range.
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
        image_size=_image_size(),
        resize=_RESIZE.value,
        preprocessing=_PREPROCESSING.value,
        label_column=_LABEL_COLUMN.value,
    )


def _image_size() -> tuple[int, int] | None:
    text = _IMAGE_SIZE.value
    if text is None:
        return None
    matched = re.fullmatch(r"(\d+)(?:x(\d+))?", text, re.ASCII)
    if not matched:
        raise errors.InputError(
            "`--image_size` must be a size or HEIGHTxWIDTH, as in 224 or "
            f"96x128. Received: image_size={text!r}"
        )
    height, width = matched[1], matched[2] or matched[1]
    return int(height), int(width)
