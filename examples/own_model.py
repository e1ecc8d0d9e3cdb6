# SPDX-License-Identifier: Apache-2.0
"""Optimizes a Keras 3 model with its own data: python examples/own_model.py."""

import pathlib

import keras
import numpy as np

import tflite_opt

work = pathlib.Path("runs/own_model")
work.mkdir(parents=True, exist_ok=True)

# Your data: here noisy stripes that are level, upright or aslant.
random = np.random.default_rng(0)
y = random.integers(0, 3, 2000)
row, column = np.mgrid[:16, :16]
waves = np.sin(np.stack([row, column, row + column]))[..., np.newaxis]
x = (waves[y] + random.normal(0, 1, (2000, 16, 16, 1))).astype(np.float32)
parts = {"train": slice(1500), "test": slice(1500, None)}
arrays = {f"x_{name}": x[part] for name, part in parts.items()}
labels = {f"y_{name}": y[part] for name, part in parts.items()}
np.savez(work / "data.npz", **arrays, **labels)

# Your model, trained as ever.
net = [keras.layers.Conv2D(16, 5, 2, activation="relu") for _ in range(2)]
head = [keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
model = keras.Sequential([keras.Input((16, 16, 1)), *net, *head])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(arrays["x_train"], labels["y_train"], epochs=3, verbose=0)
model.save(work / "model.keras")

report = tflite_opt.optimize(
    work / "model.keras",
    f"npz:{work / 'data.npz'}",
    ["float16", "dynamic_range", "int8"],
    output_dir=work / "run",
)
print(report.recommendation.name, report.recommendation.reason)
