# SPDX-License-Identifier: Apache-2.0
"""Loads a data set by name, or from an `.npz` file of the user's own.

Owns what the examples are and their scaling: pixels of the known image sets
are float32 in [0, 1]; values of an `.npz` stay as they are. Where the files of
the known sets are is `keras_cache`'s business, and who gets which example is
that of `splits`.
"""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.data import (
    dataset,
    generated,
    keras_cache,
    npz_file,
    splits,
)
from tflite_opt.records import errors

NAMES = ("digits", *keras_cache.NAMES, *generated.NAMES)
NPZ_PREFIX = "npz:"

IMAGE_INPUT = "image"
NPZ_INPUT = "x"


def load(spec: dataset.DataSpec) -> dataset.Dataset:
    """Loads the splits of a data set.

    Args:
        spec: `source` is one of `NAMES`, or `npz:` and a path. Known image
            sets have one input `image`, shape `(n, height, width, channels)`,
            float32 in [0, 1]; `generated` says what its sets hold. An `.npz`
            has one input `x`; its values are cast
            to float32 and not scaled. It must hold `x_train`, `y_train`,
            `x_test`, `y_test` and may hold `x_validation`, `y_validation`;
            labels have shape `(n,)`, integers from 0.

    Returns:
        All four splits. Ids count through train, validation where the source
        has one, and test.

    Raises:
        DataError: If the source is unknown, cannot be read or downloaded, or
            does not hold what it must.
    """
    if spec.source.startswith(NPZ_PREFIX):
        path = pathlib.Path(spec.source.removeprefix(NPZ_PREFIX)).expanduser()
        return _load_npz(path, spec)
    if spec.source == "digits":
        return _load_digits(spec)
    if spec.source in keras_cache.NAMES:
        return _load_images(spec)
    if spec.source in generated.NAMES:
        return _load_generated(spec)
    raise errors.DataError(
        f"`source` must be one of {', '.join(NAMES)}, or npz:FILE. "
        f"Received: source={spec.source!r}"
    )


def _load_digits(spec: dataset.DataSpec) -> dataset.Dataset:
    # Importing scikit-learn takes a second; only this source needs it.
    from sklearn import datasets

    pixels, labels = datasets.load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    positions = splits.split_pool(labels, spec.seed)
    return dataset.Dataset(
        name=spec.source,
        num_classes=10,
        splits=splits.assemble(
            positions, labels, lambda i: {IMAGE_INPUT: images[i]}, spec
        ),
    )


def _load_images(spec: dataset.DataSpec) -> dataset.Dataset:
    raw = keras_cache.load(spec.source, spec.data_cache)
    labels = np.concatenate([raw.train_labels, raw.test_labels])
    num_train = len(raw.train_labels)

    def gather(chosen: np.ndarray) -> Mapping[str, np.ndarray]:
        images = np.empty((len(chosen), *raw.train_images.shape[1:]), "float32")
        test = chosen >= num_train
        images[~test] = raw.train_images[chosen[~test]]
        images[test] = raw.test_images[chosen[test] - num_train]
        images /= 255
        return {IMAGE_INPUT: images}

    positions = splits.split_train(
        raw.train_labels, len(raw.test_labels), spec.seed
    )
    return dataset.Dataset(
        name=spec.source,
        num_classes=10,
        splits=splits.assemble(positions, labels, gather, spec),
    )


def _load_generated(spec: dataset.DataSpec) -> dataset.Dataset:
    pool = generated.load(spec.source, spec.seed)
    positions = splits.split_pool(pool.labels, spec.seed)
    is_trained_on = np.isin(pool.labels[positions.train], pool.trained_on)
    positions = dataclasses.replace(
        positions, train=positions.train[is_trained_on]
    )
    return dataset.Dataset(
        name=spec.source,
        num_classes=len(pool.class_names),
        class_names=pool.class_names,
        splits=splits.assemble(
            positions,
            pool.labels,
            lambda i: {name: x[i] for name, x in pool.inputs.items()},
            spec,
        ),
    )


def _load_npz(path: pathlib.Path, spec: dataset.DataSpec) -> dataset.Dataset:
    parts = npz_file.load(path)
    values = np.concatenate([part.values for part in parts.values()])
    labels = np.concatenate([part.labels for part in parts.values()])
    train, num_test = parts["train"].labels, len(parts["test"].labels)
    if "validation" in parts:
        positions = splits.keep_splits(
            train, len(parts["validation"].labels), num_test, spec.seed
        )
    else:
        positions = splits.split_train(train, num_test, spec.seed)
    return dataset.Dataset(
        name=f"{NPZ_PREFIX}{path.name}",
        num_classes=int(train.max()) + 1,
        splits=splits.assemble(
            positions, labels, lambda i: {NPZ_INPUT: values[i]}, spec
        ),
    )
