# SPDX-License-Identifier: Apache-2.0
"""The handwritten digits that come with scikit-learn: no file is needed."""

import numpy as np

from tflite_opt.data import dataset, splits

FORMS = ("digits",)
OPTIONS = ()


def load(argument: str, spec: dataset.DataSpec) -> dataset.Dataset:
    """Returns 1797 images as input `image`, shape `(n, 8, 8, 1)`, in [0, 1]."""
    # Importing scikit-learn takes a second; only this source needs it.
    from sklearn import datasets

    pixels, labels = datasets.load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    return dataset.Dataset(
        name=argument,
        num_classes=10,
        splits=splits.assemble(
            splits.split_pool(labels, spec.seed),
            labels,
            lambda chosen: {dataset.IMAGE_INPUT: images[chosen]},
            spec,
        ),
    )
