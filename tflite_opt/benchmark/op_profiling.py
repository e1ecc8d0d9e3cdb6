# SPDX-License-Identifier: Apache-2.0
"""Profiles a file's operations in a process of its own.

Run as `python -m tflite_opt.benchmark.op_profiling SPEC FD`. LiteRT's library
writes a lot to stderr, which ends in a log file.
"""

import json
import os
import pathlib
import sys
import tempfile

import numpy as np

from tflite_opt import child_process
from tflite_opt.benchmark import launching
from tflite_opt.records import benchmark, errors, op_profile
from tflite_opt.tflite import flatbuffer, probe


def profile(
    result: benchmark.BenchmarkResult, directory: pathlib.Path
) -> op_profile.ProfiledModel:
    """Profiles a measured file with XNNPACK and with the builtin kernels.

    Args:
        result: What was measured; its delegate does not matter.
        directory: Gets a log of what the library says.

    Raises:
        BenchmarkError: If the library offers no profile, or crashes.
    """
    log = directory / f"{result.artifact.name}.log"
    with tempfile.TemporaryDirectory() as folder:
        inputs = pathlib.Path(folder) / "inputs.npz"
        job = launching.prepare(result.artifact, result.options, inputs)
        return _profile(job, log)


def _profile(job: launching.Job, log: pathlib.Path) -> op_profile.ProfiledModel:
    delegation = probe.probe(
        job.artifact.path,
        input_shapes=(
            [spec.shape for spec in job.entry.inputs]
            if job.entry.resized
            else ()
        ),
    )
    operators = flatbuffer.read(job.artifact.path).subgraphs[0].operators
    try:
        found = list(
            child_process.events(
                __name__,
                [json.dumps(launching.specification(job))],
                log=log,
                timeout_s=job.options.timeout_s,
            )
        )
    except child_process.ChildError as error:
        raise _no_profile(job, str(error)) from error
    refusals = [event["message"] for event in found if "kind" in event]
    if refusals:
        raise _no_profile(job, refusals[0])
    return op_profile.ProfiledModel(
        artifact=job.artifact,
        num_threads=job.options.num_threads,
        profiles=tuple(
            op_profile.OpProfile.from_json(event) for event in found
        ),
        operators=tuple(operator.name for operator in operators),
        delegation=delegation,
    )


def _no_profile(job: launching.Job, reason: str) -> errors.BenchmarkError:
    return errors.BenchmarkError(
        f"No op profile of {job.artifact.name!r}: {reason}"
    )


def _main(arguments: list[str]) -> None:
    # Whoever starts the child does not need it.
    from tflite_opt.tflite import profiler

    child_process.end_with_parent()
    spec = json.loads(arguments[0])
    path = pathlib.Path(spec["model"])
    with np.load(spec["inputs"]) as stored:
        inputs = {
            tensor: stored[str(i)]
            for i, tensor in enumerate(spec["input_tensors"])
        }
    # The library orders inputs as the signature does.
    index, order = 0, spec["input_tensors"]
    for i, signature in enumerate(flatbuffer.read(path).signatures):
        if signature.subgraph == spec["subgraph"]:
            index, order = i, [tensor for _, tensor in signature.inputs]
            break
    with os.fdopen(int(arguments[1]), "w") as stream:
        for kernels in ("xnnpack", "builtin"):
            try:
                event = profiler.profile(
                    path,
                    [inputs[tensor] for tensor in order],
                    kernels=kernels,
                    num_threads=spec["num_threads"],
                    signature=index,
                ).to_json()
            except errors.TfliteOptError as error:
                event = errors.to_parent(error)
            stream.write(json.dumps(event) + "\n")
            stream.flush()


if __name__ == "__main__":
    _main(sys.argv[1:])
