# SPDX-License-Identifier: Apache-2.0
"""A model that takes a moment to run."""

import pathlib

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade

SIZE = 256


def write(path: pathlib.Path, seed: int = 0) -> pathlib.Path:
    """Writes two dense layers, each of shape (SIZE, SIZE)."""
    random = np.random.default_rng(seed)
    net = handmade.Builder()
    first = x = net.tensor((1, SIZE), name="x")
    for layer in range(2):
        weights = random.normal(size=(SIZE, SIZE)).astype(np.float32)
        kernel = net.tensor(weights.shape, name=f"k{layer}", values=weights)
        y = net.tensor((1, SIZE), name=f"y{layer}")
        net.operator(
            "FULLY_CONNECTED",
            (x, kernel, -1),
            (y,),
            options=schema.FullyConnectedOptionsT(),
        )
        x = y
    net.ends((first,), (x,))
    net.signature("serving_default", {"x": first}, {"y": x})
    return net.save(path)
