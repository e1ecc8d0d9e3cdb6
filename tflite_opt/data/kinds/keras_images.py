# SPDX-License-Identifier: Apache-2.0
"""The image sets that Keras has loaders for, in its cache."""

from collections.abc import Mapping

import numpy as np

from tflite_opt.data import dataset, keras_cache, splits

FORMS = keras_cache.NAMES
OPTIONS = ()


def load(argument: str, spec: dataset.DataSpec) -> dataset.Dataset:
    """Returns the official test set and what is taken from train.

    The input `image` has the shape `(n, height, width, channels)`, float32 in
    [0, 1].

    Raises:
        DataError: If the files can neither be read nor downloaded.
    """
    raw = keras_cache.load(argument, spec.data_cache)
    labels = np.concatenate([raw.train_labels, raw.test_labels])
    num_train = len(raw.train_labels)

    def gather(chosen: np.ndarray) -> Mapping[str, np.ndarray]:
        images = np.empty((len(chosen), *raw.train_images.shape[1:]), "float32")
        test = chosen >= num_train
        images[~test] = raw.train_images[chosen[~test]]
        images[test] = raw.test_images[chosen[test] - num_train]
        images /= 255
        return {dataset.IMAGE_INPUT: images}

    positions = splits.split_train(
        raw.train_labels, len(raw.test_labels), spec.seed
    )
    return dataset.Dataset(
        name=argument,
        num_classes=10,
        splits=splits.assemble(positions, labels, gather, spec),
    )
