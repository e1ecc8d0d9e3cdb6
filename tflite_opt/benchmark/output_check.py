# SPDX-License-Identifier: Apache-2.0
"""Whether a file that is measured computes the right thing.

Run as `python -m tflite_opt.benchmark.output_check SPEC FD`, a process of its
own: the reference may crash where what is measured does not. Golden vectors
beside the file are replayed; without them the delegate's outputs are compared
with the builtin kernels' on the inputs that are timed.
"""

import json
import os
import pathlib
import sys
from typing import Any

import numpy as np

from tflite_opt import child_process
from tflite_opt.benchmark import launching
from tflite_opt.records import benchmark, errors, facts
from tflite_opt.records import golden as golden_record


def check(job: launching.Job) -> benchmark.OutputCheck | None:
    """Checks the outputs of a file.

    Returns:
        None if there is nothing to compare with: the builtin kernels without
        golden vectors are the reference themselves.

    Raises:
        BenchmarkError: If the outputs are wrong.
        InputError: If the golden file is damaged.
    """
    golden = golden_record.path_beside(job.artifact.path)
    uses_golden = golden.is_file() and job.entry.subgraph == 0
    if not uses_golden and job.options.delegate == "none":
        return None
    spec = launching.specification(job) | {
        "golden": str(golden) if uses_golden else ""
    }
    reference = "golden vectors" if uses_golden else "builtin kernels"
    try:
        (found,) = child_process.events(
            __name__, [json.dumps(spec)], timeout_s=job.options.timeout_s
        )
    except child_process.ChildError as error:
        return benchmark.OutputCheck(
            reference=reference,  # type: ignore[arg-type]
            description="not compared",
            warnings=(f"Outputs could not be checked: {error}.",),
        )
    if "kind" in found:
        raise errors.from_child(**found)
    if not found["ok"]:
        raise errors.BenchmarkError(
            f"{job.artifact.name!r} computes something else than its "
            f"{reference}: {found['description']}. Its latency would mean "
            "nothing. --nocheck measures it nevertheless."
        )
    return benchmark.OutputCheck(
        reference=reference,  # type: ignore[arg-type]
        description=found["description"],
        warnings=tuple(found["warnings"]),
    )


def _replay(spec: dict[str, Any]) -> dict[str, Any]:
    from tflite_opt.tflite import golden

    vectors = golden.read(pathlib.Path(spec["golden"]))
    result = golden.replay(
        pathlib.Path(spec["model"]), vectors, spec["delegate"]
    )
    return {
        "ok": result.ok,
        "description": golden.describe(result),
        "warnings": [],
    }


def _compare(spec: dict[str, Any]) -> dict[str, Any]:
    from tflite_opt.tflite import resolvers

    with np.load(spec["inputs"]) as stored:
        inputs = [stored[str(i)] for i in range(len(stored.files))]
    default, builtin = (
        _run(spec, delegate, inputs) for delegate in ("xnnpack", "none")
    )
    if isinstance(default, str) or isinstance(builtin, str):
        # If the delegate does not run it, its launch will say so.
        reason = builtin if isinstance(builtin, str) else default
        return {
            "ok": True,
            "description": "not compared",
            "warnings": [f"Outputs could not be checked: {reason}."],
        }
    found = resolvers.compare_outputs(
        _output_specs(spec, default),
        default,
        builtin,
        num_examples=1,
        input_shapes={values.shape for values in inputs},
    )
    return {"ok": found.ok, "description": found.describe(), "warnings": []}


def _run(
    spec: dict[str, Any], delegate: str, inputs: list[np.ndarray]
) -> dict[str, np.ndarray] | str:
    """Returns raw outputs by tensor, or why there are none."""
    from tflite_opt.tflite import native_messages, runnable

    try:
        with native_messages.filtered():
            model = runnable.Runnable(
                spec["model"],
                delegate=delegate,
                num_threads=spec["num_threads"],
                subgraph=spec["subgraph"],
                input_tensors=spec["input_tensors"],
                input_shapes=spec["resized_to"],
            )
        model.set_inputs(inputs)
        model.invoke()
        return {
            str(tensor): model.output(tensor)
            for tensor in spec["output_tensors"]
        }
    except (RuntimeError, ValueError, MemoryError) as error:
        return native_messages.one_line(error)


def _output_specs(
    spec: dict[str, Any], outputs: dict[str, np.ndarray]
) -> list[facts.TensorSpec]:
    from tflite_opt.tflite import flatbuffer

    model = flatbuffer.read(pathlib.Path(spec["model"]))
    tensors = model.subgraphs[spec["subgraph"]].tensors
    return [
        facts.TensorSpec(
            name=name,
            shape=array.shape,
            dtype=array.dtype.name,
            scale=tuple(tensors[int(name)].scale.tolist()),
            zero_point=tuple(tensors[int(name)].zero_point.tolist()),
        )
        for name, array in outputs.items()
        # Text cannot be subtracted.
        if array.dtype.kind in "fiub"
    ]


def _main(arguments: list[str]) -> None:
    child_process.end_with_parent()
    spec = json.loads(arguments[0])
    with os.fdopen(int(arguments[1]), "w") as stream:
        try:
            found = _replay(spec) if spec["golden"] else _compare(spec)
        except errors.TfliteOptError as error:
            found = errors.to_parent(error)
        json.dump(found, stream)
        stream.write("\n")


if __name__ == "__main__":
    _main(sys.argv[1:])
