# SPDX-License-Identifier: Apache-2.0
"""Our rounding beside AdaRound, on a trained depthwise separable network.

A cell is a way to round, a number of bits and a seed, which is that of the
float model's training. All start from the same quantized file, are fitted to
the same calibration examples and correct the biases; they are judged on test
examples.
"""

import dataclasses
import pathlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tflite_opt.post_training import (
    acceptance,
    layers,
    operation_runner,
    real_values,
    reconstruction,
)
from tflite_opt.records import conversion, measurement
from tflite_opt.studies import adaround, signal, study, trained_reference
from tflite_opt.techniques import rounding
from tflite_opt.tflite import interpreter

TITLE = "Rounding beside AdaRound"
# Ways to round by name.
_SOLVERS: Mapping[str, reconstruction.Solve | None] = {
    "nearest": None,
    "rounding": rounding.Rounding().solve,
    "adaround_1000": adaround.AdaRound(iterations=1_000),
    "adaround_10000": adaround.AdaRound(iterations=10_000),
}
# Of convolutions. Depthwise kernels always have 8: there is no other format.
_BITS = (8, 4)
# All tensors of these examples are in memory.
_NUM_INSIDE = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What is measured.

    Attributes:
        trained: The float model; the seed of its training is replaced, and
            each has a folder of its own in its `work_dir`.
        seeds: One float model each.
    """

    trained: trained_reference.Setup
    seeds: Sequence[int]


def cells(setup: Setup) -> dict[str, study.Cell]:
    """Returns a cell for each seed, number of bits and way to round."""

    def cell(name: str, bits: int, seed: int) -> study.Cell:
        return lambda: measure(name, bits, seed, setup)

    return {
        f"{name}.int{bits}.{seed}": cell(name, bits, seed)
        for seed in setup.seeds
        for bits in _BITS
        for name in _SOLVERS
    }


def measure(name: str, bits: int, seed: int, setup: Setup) -> dict[str, float]:
    """Rounds one model one way; see the module."""
    trained = trained_reference.train(
        dataclasses.replace(
            setup.trained,
            training=dataclasses.replace(setup.trained.training, seed=seed),
            work_dir=setup.trained.work_dir / f"seed{seed}",
        ),
        "measure_rounding",
    )
    parent = trained.context.float_model
    fitting, _ = acceptance.split(trained.context.representative)
    with tempfile.TemporaryDirectory() as folder:
        quantized, rounded = (
            pathlib.Path(folder) / f"{x}.tflite"
            for x in ("quantized", "rounded")
        )
        quantized.write_bytes(trained.context.litert_quantizer(_rules(bits)))
        started, used = time.perf_counter(), time.process_time()
        reconstruction.reconstruct(
            parent, quantized, rounded, fitting, _SOLVERS[name]
        )
        return {
            "seconds": time.perf_counter() - started,
            "cpu_seconds": time.process_time() - used,
            **_judged(trained, rounded),
        }


def _rules(bits: int) -> list[conversion.QuantizerRule]:
    static = conversion.QuantizerRule(operation="*", mode="static")
    if bits == 8:
        return [static]
    return [
        static,
        dataclasses.replace(static, operation="CONV_2D", weight_bits=bits),
    ]


def _judged(
    trained: trained_reference.Trained, path: pathlib.Path
) -> dict[str, float]:
    parent = trained.context.float_model
    inside = trained.first_inputs(_NUM_INSIDE)
    noise = layer_noise_db(parent, path, inside)
    exact, found = (
        next(iter(interpreter.predict(x, trained.inputs).values())).argmax(
            axis=1
        )
        for x in (parent, path)
    )
    labels = trained.test.class_indices()
    return {
        "mean_layer_signal_to_noise_db": float(np.mean(noise)),
        "scores_signal_to_noise_db": noise[-1],
        "agreement": float(np.mean(exact == found)),
        "float_accuracy": float(np.mean(exact == labels)),
        "accuracy": float(np.mean(found == labels)),
        "num_test": len(labels),
    }


def layer_noise_db(
    parent: pathlib.Path,
    path: pathlib.Path,
    inputs: Mapping[str, np.ndarray],
) -> list[float]:
    """Returns the signal-to-noise ratio of each layer's outputs.

    The signal is what the float model gives, without its mean over examples
    and places: the same for all inputs, it tells nothing apart.

    Args:
        parent: The float model.
        path: What a quantizer made of it.
        inputs: By name, shape (n, ...).
    """
    runners = [
        operation_runner.OperationRunner(x, inputs) for x in (parent, path)
    ]
    ratios = []
    for pair in layers.pair(*(runner.model for runner in runners)):
        outputs = []
        for runner, layer in zip(runners, pair, strict=True):
            runner.run_before(layer.position + 1)
            outputs.append(
                real_values.dequantize(
                    runner.value(layer.output),
                    runner.graph.tensors[layer.output],
                )
            )
        exact, found = outputs
        mean = exact.mean(axis=tuple(range(exact.ndim - 1)))
        ratios.append(signal.to_noise_db(exact - mean, found - mean))
    return ratios


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Yields the table."""
    yield (
        "| weights of convolutions | rounding | seed | seconds "
        "| of processors | layers, dB | scores, dB | same top-1 | accuracy "
        "| float |"
    )
    yield f"|---|---|{'---:|' * 8}"
    for cell, record in found.items():
        name, bits, seed = cell.split(".")
        if record is None:
            yield f"| {bits} | {name} | {seed} | missing | | | | | | |"
            continue
        x = record.values
        yield (
            f"| {bits} | {name} | {seed} | {x['seconds']:.1f} "
            f"| {x['cpu_seconds']:.1f} "
            f"| {x['mean_layer_signal_to_noise_db']:.2f} "
            f"| {x['scores_signal_to_noise_db']:.2f} "
            f"| {x['agreement']:.2%} | {x['accuracy']:.2%} "
            f"| {x['float_accuracy']:.2%} |"
        )
    yield ""
    yield (
        "Biases are corrected in all rows; `nearest` is that alone. Noise is "
        "between the outputs of a layer in the float model and in the "
        "quantized one, in the mean over layers, and in the scores before the "
        "softmax. AdaRound, with its paper's loss and constants, chooses "
        "between the two neighbours of each weight; `rounding` may take any "
        "level. All are fitted to the same examples."
    )
