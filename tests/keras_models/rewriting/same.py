# SPDX-License-Identifier: Apache-2.0
"""Holds a rewritten model against the one it was made from."""

import numpy as np

from tflite_opt.keras_models.rewriting import graph


def randomize(model, seed=0):
    """Gives a model weights that no rule can take for their defaults."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype.is_floating:
            low = 0.3 if "variance" in weight.name else -1
            weight.assign(generator.uniform(low, 1, weight.shape))
    return model


def outputs(model, seed=0):
    """Returns outputs and the random inputs they belong to."""
    generator = np.random.default_rng(seed)
    inputs = [
        generator.normal(size=(6, *tensor.shape[1:])).astype(np.float32)
        for tensor in model.inputs
    ]
    inputs = inputs[0] if len(inputs) == 1 else inputs
    return model.predict(inputs, verbose=0), inputs


def rewritten(model, *rules, read=graph.read):
    """Applies rules, checks the outputs, and returns the graph."""
    expected, inputs = outputs(randomize(model))
    found = read(model)
    for rule in rules:
        rule(found)
    built, _ = graph.build(found)
    result = built.predict(inputs, verbose=0)
    np.testing.assert_allclose(
        result, expected, atol=1e-5 * np.abs(expected).max()
    )
    return found


def chain(shape, *layers):
    """Returns a model of layers in a row."""
    import tf_keras as keras

    return keras.Sequential([keras.Input(shape), *layers])


def kinds(found):
    """Returns the class of each call's layer."""
    return [call.kind for call in found.calls]
