# SPDX-License-Identifier: Apache-2.0
"""Data sets that are generated, one for each family of reference models."""

import dataclasses

import numpy as np

from tflite_opt.data import dataset, generated, splits

FORMS = generated.NAMES
OPTIONS = ()


def load(argument: str, spec: dataset.DataSpec) -> dataset.Dataset:
    """Returns the splits of a generated set; `generated` says what it holds."""
    pool = generated.load(argument, spec.seed)
    positions = splits.split_pool(pool.labels, spec.seed)
    is_trained_on = np.isin(pool.labels[positions.train], pool.trained_on)
    return dataset.Dataset(
        name=argument,
        num_classes=len(pool.class_names),
        class_names=pool.class_names,
        splits=splits.assemble(
            dataclasses.replace(
                positions, train=positions.train[is_trained_on]
            ),
            pool.labels,
            lambda i: {name: x[i] for name, x in pool.inputs.items()},
            spec,
        ),
    )
