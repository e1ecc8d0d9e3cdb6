# SPDX-License-Identifier: Apache-2.0
"""Proves on a `.tflite` what training-time techniques promised."""

import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.conversion import job as job_lib
from tflite_opt.records import compression, errors, examples, facts, files
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import interpreter, layer_weights

# A quantization-aware model was trained as what the file computes. Where
# kernels round differently, near-ties may fall on the other side.
_MIN_AGREEMENT = 0.95
_GOOD_AGREEMENT = 0.99


def require_promises(
    path: pathlib.Path,
    found: facts.ModelFacts,
    model: compression.CompressedModel | None,
    original: pathlib.Path,
) -> tuple[compression.KeptPromise, ...]:
    """Returns what the file has of each promise of a compressed model.

    Args:
        path: The `.tflite`.
        found: Facts of it, with values.
        model: What it was made from; nothing is promised without.
        original: The float `.tflite` of the user's own model.

    Raises:
        VerificationError: If a promise is broken.
    """
    if model is None:
        return ()
    if model.shrinkage is not None:
        before = facts_reader.read_facts(original, delegation=False)
        model.shrinkage.require_in(before, found)
    num_elements = {
        (kept.promise.layer, kept.promise.weight): kept.num_elements
        for kept in model.steps[-1].kept
    }
    measured = layer_weights.measure(
        path, found, model.promises, num_elements, model.layers
    )
    for kept in measured:
        kept.require()
    return measured


def agreement(
    path: pathlib.Path,
    checks: Mapping[str, examples.Examples],
    job: job_lib.Job,
) -> float | None:
    """Returns the fraction of predictions that equal those of the Keras model.

    Args:
        path: The `.tflite`.
        checks: The first inputs of the validation split.
        job: Whose Keras model's outputs on that split are kept.

    Returns:
        None for the user's own model, which the evaluation compares with, and
        for outputs that are no list of classes.

    Raises:
        VerificationError: If a quantization-aware model is another one as a
            file.
    """
    if job.compressed is None:
        return None
    expected = files.read_npz(job.layout.original_outputs("validation"))
    found = interpreter.predict(path, checks)
    equal = []
    for name, array in found.items():
        if array.ndim != 2 or array.shape[1] < 2:
            return None
        wanted = expected[name][: len(array)].argmax(axis=1)
        equal.append(array.argmax(axis=1) == wanted)
    result = float(np.mean(equal))
    if job.compressed.is_quantization_aware and result < _MIN_AGREEMENT:
        raise errors.VerificationError(
            "The .tflite of a quantization-aware model must predict what that "
            f"does on at least {_MIN_AGREEMENT:.0%} of the examples. "
            f"Received: {result:.1%}."
        )
    return result


def warnings(found: float | None) -> tuple[str, ...]:
    """Returns one sentence if the agreement is not good."""
    if found is None or found >= _GOOD_AGREEMENT:
        return ()
    return (
        f"Predicts what its Keras model does on {found:.1%} of the examples.",
    )
