# SPDX-License-Identifier: Apache-2.0
"""Measures what this machine reaches on a generated operation.

The operation goes through the same runtime, launches and statistics as the
model, so that it is a limit the model could reach; a matrix product of numpy
would be another program's.
"""

import dataclasses
import math
import pathlib
from collections.abc import Sequence

import numpy as np

from tflite_opt.benchmark import desktop
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, facts, files, roofline
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import one_operation

# Fits into the second-level cache, and is large enough to pay for its threads.
_COMPUTE = {"batch": 256, "inputs": 512, "outputs": 512}
_BANDWIDTH_INPUTS = 1024
_MIN_BYTES, _MAX_BYTES = 1 << 18, 1 << 26
_LAUNCHES = 3


def measure(
    results: Sequence[benchmark.BenchmarkResult], directory: pathlib.Path
) -> list[roofline.Roofline]:
    """Compares results with generated operations, measured alike.

    Args:
        results: All with the same options.
        directory: For the generated files and their samples.

    Returns:
        One entry for each model whose multiply-accumulates are known and not
        0.

    Raises:
        BenchmarkError: If an operation cannot be measured.
    """
    known = [
        (result, found)
        for result in results
        if (
            found := facts_reader.read_facts(
                result.artifact.path, delegation=False
            )
        ).macs
    ]
    wanted = {
        name: content
        for _, found in known
        for name, content in _operations(found).items()
    }
    if not known:
        return []
    medians = _medians(wanted, known[0][0].options, directory)
    return [_compare(result, found, medians) for result, found in known]


def _dtype(found: facts.ModelFacts) -> one_operation.Dtype:
    """Returns the dtype of most of a model's products."""
    dtypes = {(t.subgraph, t.index): t.dtype for t in found.tensors}
    macs = {"float32": 0, "int8": 0}
    for operator in found.operators:
        if operator.macs and operator.inputs:
            # Weights alone do not tell: they may be dequantized first.
            used = {
                dtypes[operator.subgraph, index]
                for index in (*operator.inputs[:1], *operator.weights)
                if index != -1
            }
            macs["int8" if used <= {"int8"} else "float32"] += operator.macs
    return "int8" if macs["int8"] > macs["float32"] else "float32"


def _operations(found: facts.ModelFacts) -> dict[str, dict[str, int]]:
    """Returns the sizes of the operations to measure, by name."""
    dtype = _dtype(found)
    stored = sum(tensor.constant_bytes for tensor in found.weights)
    # Sizes are powers of 2, so that models of about a size share one.
    size = 1 << max(stored - 1, 1).bit_length()
    size = min(max(size, _MIN_BYTES), _MAX_BYTES)
    outputs = size // (_BANDWIDTH_INPUTS * np.dtype(dtype).itemsize)
    bandwidth = {"batch": 1, "inputs": _BANDWIDTH_INPUTS, "outputs": outputs}
    return {f"{dtype}_compute": _COMPUTE, f"{dtype}_{size}_bytes": bandwidth}


def _medians(
    wanted: dict[str, dict[str, int]],
    options: benchmark.RuntimeOptions,
    directory: pathlib.Path,
) -> dict[str, float]:
    """Returns the median latency of each operation in seconds."""
    artifacts = []
    for name, sizes in wanted.items():
        path = directory / f"{name}.tflite"
        dtype: one_operation.Dtype = (
            "int8" if name.startswith("int8") else "float32"
        )
        files.write_bytes(path, one_operation.fully_connected(dtype, **sizes))
        artifacts.append(artifact_record.describe(path, format="tflite"))
    own = dataclasses.replace(
        options,
        launches=min(options.launches, _LAUNCHES),
        signature="",
        input_shapes={},
        dynamic_dimension=None,
        inputs=None,
        concurrency=1,
        soak_s=0.0,
        check=False,
    )
    medians = {}
    for found in desktop.DesktopRunner().run(artifacts, own, directory):
        if isinstance(found, benchmark.BenchmarkFailure):
            raise errors.BenchmarkError(f"No roofline: {found.message}")
        medians[found.artifact.name] = found.median_ms / 1e3
    for item in artifacts:
        item.path.unlink()
    return medians


def _compare(
    result: benchmark.BenchmarkResult,
    found: facts.ModelFacts,
    medians: dict[str, float],
) -> roofline.Roofline:
    compute, bandwidth = _operations(found)
    sizes = _operations(found)[bandwidth]
    itemsize = np.dtype(_dtype(found)).itemsize
    weights = sizes["inputs"] * sizes["outputs"] * itemsize
    ends = sum(
        math.prod(map(abs, spec.shape)) * np.dtype(spec.dtype).itemsize
        for spec in (*found.inputs, *found.outputs)
        if spec.dtype != "string"
    )
    stored = sum(tensor.constant_bytes for tensor in found.weights)
    return roofline.Roofline(
        artifact=result.artifact,
        num_threads=result.options.num_threads,
        dtype=_dtype(found),
        macs=found.known_macs,
        bytes_moved=stored + ends,
        median_ms=result.median_ms,
        reachable_macs_per_s=math.prod(_COMPUTE.values()) / medians[compute],
        reachable_bytes_per_s=weights / medians[bandwidth],
    )
