# SPDX-License-Identifier: Apache-2.0
"""Starts launches, and makes sure that nothing of them is left behind."""

import dataclasses
import json
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np

from tflite_opt import child_process
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, energy, errors, files, machine
from tflite_opt.tflite import entry_point, flatbuffer, sample_inputs


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """A file that is ready to be launched.

    Attributes:
        artifact: The file.
        options: How to run it.
        entry: What of it.
        inputs: `.npz` of the values of each input, by position.
        custom_operations: Names of its operations that are not TFLite's own.
    """

    artifact: artifact_record.Artifact
    options: benchmark.RuntimeOptions
    entry: entry_point.EntryPoint
    inputs: pathlib.Path
    custom_operations: tuple[str, ...]


def prepare(
    artifact: artifact_record.Artifact,
    options: benchmark.RuntimeOptions,
    inputs_path: pathlib.Path,
) -> Job:
    """Examines a file and writes its inputs.

    Raises:
        ModelError: If it is no whole `.tflite`, or no inputs can be made.
        InputError: If the options or the user's inputs do not fit it.
        OutputError: If the inputs cannot be written.
    """
    model = flatbuffer.read(artifact.path)
    with flatbuffer.refusing_damage(artifact.path):
        entry = entry_point.find(
            artifact.path,
            model,
            signature=options.signature,
            input_shapes=options.input_shapes,
            dynamic_dimension=options.dynamic_dimension,
        )
        values = (
            sample_inputs.take(entry, files.read_npz(options.inputs.path))
            if options.inputs
            else sample_inputs.make(model, entry, options.seed)
        )
    files.write_npz(inputs_path, {str(i): x for i, x in enumerate(values)})
    custom = {
        operator.name
        for graph in model.subgraphs
        for operator in graph.operators
        if operator.is_custom
    }
    return Job(
        artifact=artifact,
        options=options,
        entry=entry,
        inputs=inputs_path,
        custom_operations=tuple(sorted(custom)),
    )


def specification(job: Job) -> dict[str, Any]:
    """Returns what a launch is told, of plain JSON types."""
    shapes = [list(spec.shape) for spec in job.entry.inputs]
    return job.options.to_json() | {
        "model": str(job.artifact.path),
        "inputs": str(job.inputs),
        "subgraph": job.entry.subgraph,
        "input_tensors": list(job.entry.input_tensors),
        "output_tensors": list(job.entry.output_tensors),
        "resized_to": shapes if job.entry.resized else None,
        "cpus": list(job.options.cpus()),
    }


def launch(job: Job) -> bytes:
    """Runs one launch and returns the `.npz` it makes.

    Raises:
        BenchmarkError: If it fails, crashes or hangs. It is dead then, with
            all processes it started.
    """
    options, name = job.options, job.artifact.name
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tflite_opt.benchmark.launch",
            json.dumps(specification(job)),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=child_process.environment(),
    )
    timeout_s = options.timeout_s + options.soak_s
    try:
        content, stderr = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise errors.BenchmarkError(
            f"A launch of {name!r} took longer than {timeout_s:g} s and was "
            "killed. Raise --timeout_s."
        ) from error
    finally:
        child_process.kill_group(process)
    if process.returncode < 0:
        raise errors.BenchmarkError(
            f"A launch of {name!r} crashed with signal {-process.returncode}. "
            "The file is not safe to run here."
        )
    if process.returncode:
        lines = stderr.decode(errors="replace").strip().splitlines()
        raise errors.BenchmarkError(
            f"A launch of {name!r} failed: "
            f"{lines[-1] if lines else process.returncode}{_customs(job)}"
        )
    return content


def _customs(job: Job) -> str:
    """Returns what a failure may be due to."""
    if not job.custom_operations:
        return ""
    return (
        " It has operations that are not TFLite's own, which this runtime may "
        f"lack: {', '.join(job.custom_operations)}."
    )


def read(path: pathlib.Path) -> tuple[benchmark.Launch, np.ndarray]:
    """Returns what a launch measured, and its samples in nanoseconds.

    Raises:
        InputError: If the file is damaged.
    """
    stored = files.read_npz(path)
    summary = json.loads(str(stored["summary"]))
    summary["state"] = machine.MachineState.from_json(summary["state"])
    if summary.get("energy") is not None:
        summary["energy"] = energy.EnergyEstimate.from_json(summary["energy"])
    return benchmark.Launch(**summary), stored["samples_ns"]
