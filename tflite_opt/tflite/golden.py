# SPDX-License-Identifier: Apache-2.0
"""Golden vectors: a few real examples beside a file, and their replay.

Whoever runs the file, here or on a phone, feeds the stored inputs and compares
with the stored outputs of the original model. Swapped inputs, a wrong scale of
the pixels or a wrong order of the channels show at once. Runs files in this
process: call it where a crash of the runtime is survived.
"""

import dataclasses
import json
import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.records import benchmark, errors, files
from tflite_opt.records import golden as golden_record
from tflite_opt.tflite import (
    flatbuffer,
    golden_comparison,
    interpreter,
    loaded_model,
)

DEFAULT_NUM_EXAMPLES = 8
# Before compression; a phone and a repository should take it lightly.
MAX_BYTES = 1_000_000

_TEXT = "golden"
_LABELS = "labels"
_KERNELS: dict[benchmark.Delegate, str] = {
    "xnnpack": "XNNPACK",
    "none": "the builtin kernels",
}

Arrays = loaded_model.Arrays


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Reference:
    """Real examples with the original model's answers.

    Attributes:
        inputs: By the artifact's input names, shape `(n, ...)`, as the app
            has them: float also where the artifact's input is quantized.
        outputs: The original model's, by name, shape `(n, ...)`.
        labels: Shape `(n, ...)`; None if there are none.
        preprocessing: What was done to the data before they became `inputs`.
        original_sha256: Of the original model's file.
    """

    inputs: Arrays
    outputs: Arrays
    labels: np.ndarray | None
    preprocessing: str
    original_sha256: str


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class GoldenVectors:
    """A golden file.

    Attributes:
        golden: What it says about its arrays.
        inputs: By name, shape `(num_examples, ...)`.
        outputs: Likewise, the original model's.
        labels: None if there are none.
    """

    golden: golden_record.Golden
    inputs: Arrays
    outputs: Arrays
    labels: np.ndarray | None


def write(
    artifact: pathlib.Path,
    reference: Reference,
    *,
    destination: pathlib.Path | None = None,
    num_examples: int = DEFAULT_NUM_EXAMPLES,
) -> pathlib.Path:
    """Writes the golden vectors of a file beside it.

    The file is run with XNNPACK and with the builtin kernels. The tolerance of
    an example is the larger one of their differences to the original, plus a
    margin for other devices: 2 steps of a quantized output, a relative 1e-4 of
    a float one, or the distance between the two kernels if that is more.

    Args:
        artifact: The `.tflite`.
        reference: The first examples are taken.
        destination: Where to write; by default `records.golden.path_beside`
            the artifact.
        num_examples: At most so many, and fewer if they would be more than
            `MAX_BYTES`, but one at least.

    Returns:
        The written file.

    Raises:
        DataError: If inputs or outputs do not fit the artifact.
        ModelError: If the artifact cannot be run.
        OutputError: If the file cannot be written.
    """
    count = _num_fitting(reference, num_examples)
    inputs = {name: x[:count] for name, x in reference.inputs.items()}
    outputs = {name: x[:count] for name, x in reference.outputs.items()}
    model, runs = _run_all(artifact, inputs)
    _check_outputs(next(iter(runs.values())), outputs)
    golden = _describe(artifact, model, runs, outputs, reference)
    arrays = {_TEXT: np.array(json.dumps(golden.to_json()))}
    arrays |= {f"inputs/{name}": x for name, x in inputs.items()}
    arrays |= {f"outputs/{name}": x for name, x in outputs.items()}
    if reference.labels is not None:
        arrays[_LABELS] = reference.labels[:count]
    path = destination or golden_record.path_beside(artifact)
    files.write_npz(path, arrays)
    return path


def _num_fitting(reference: Reference, num_examples: int) -> int:
    arrays = [*reference.inputs.values(), *reference.outputs.values()]
    example_bytes = sum(
        int(np.prod(x.shape[1:])) * x.dtype.itemsize for x in arrays
    )
    fitting = MAX_BYTES // max(example_bytes, 1)
    available = min(len(x) for x in arrays)
    return min(max(1, min(num_examples, fitting)), available)


def _run_all(
    artifact: pathlib.Path, inputs: Arrays
) -> tuple[loaded_model.LoadedModel, dict[str, dict[str, np.ndarray]]]:
    """Returns the outputs of all kernels that take the file."""
    refusals, runs = [], {}
    for delegate, kernels in _KERNELS.items():
        try:
            model = interpreter.load(artifact, delegate=delegate)
            runs[kernels] = model.run(inputs)
        except errors.ModelError as error:
            refusals.append(error)
    if not runs:
        raise refusals[0]
    return model, runs


def _describe(
    artifact: pathlib.Path,
    model: loaded_model.LoadedModel,
    runs: Mapping[str, Arrays],
    expected: Arrays,
    reference: Reference,
) -> golden_record.Golden:
    stored = flatbuffer.read(artifact)
    steps = golden_comparison.output_steps(stored)
    inputs = {
        spec.name: golden_record.GoldenInput(spec=spec, position=position)
        for position, spec in enumerate(model.inputs)
    }
    outputs = {
        spec.name: golden_comparison.tolerance(
            spec,
            position,
            {kernels: run[spec.name] for kernels, run in runs.items()},
            expected[spec.name],
            steps[position],
        )
        for position, spec in enumerate(model.outputs)
    }
    key, input_order, output_order = None, list(inputs), list(outputs)
    if len(stored.signatures) == 1:
        (signature,) = stored.signatures
        key = signature.key
        input_order = [name for name, _ in signature.inputs]
        output_order = [name for name, _ in signature.outputs]
    return golden_record.Golden(
        signature_key=key,
        inputs=tuple(inputs[name] for name in input_order),
        outputs=tuple(outputs[name] for name in output_order),
        num_examples=len(next(iter(expected.values()))),
        preprocessing=reference.preprocessing,
        artifact_sha256=files.sha256_of_file(artifact),
        original_sha256=reference.original_sha256,
    )


def _check_outputs(found: Arrays, expected: Arrays) -> None:
    shapes = {name: x.shape for name, x in found.items()}
    wanted = {name: x.shape for name, x in expected.items()}
    if shapes != wanted:
        raise errors.DataError(
            "The outputs must be those of the original model. "
            f"Received: {shapes}, original: {wanted}."
        )


def read(path: pathlib.Path) -> GoldenVectors:
    """Reads a golden file and checks that it is one.

    Raises:
        InputError: If it is missing, no golden file, or its arrays are not
            those it describes.
    """
    arrays = files.read_npz(path)
    text = arrays.pop(_TEXT, None)
    if text is None or text.dtype.kind != "U" or text.ndim:
        raise errors.InputError(
            f"A golden file must hold a text {_TEXT!r}, as `scripts.convert` "
            f"writes it. Received: path={str(path)!r} with "
            f"{', '.join(sorted(arrays)) or 'nothing'}."
        )
    try:
        golden = golden_record.Golden.from_json(json.loads(str(text)))
    except (ValueError, AttributeError) as error:
        raise errors.InputError(
            "A golden file must describe its arrays. "
            f"Received: path={str(path)!r}: {error}"
        ) from error
    labels = arrays.pop(_LABELS, None)
    names = {f"inputs/{x.spec.name}" for x in golden.inputs}
    names |= {f"outputs/{x.spec.name}" for x in golden.outputs}
    if names != set(arrays) or not all(
        array.dtype.kind in "fiub" and array.shape[:1] == (golden.num_examples,)
        for array in arrays.values()
    ):
        found = {name: x.shape for name, x in sorted(arrays.items())}
        raise errors.InputError(
            f"A golden file must hold the arrays it describes: {sorted(names)},"
            f" {golden.num_examples} examples each. "
            f"Received: path={str(path)!r} with {found}."
        )
    return GoldenVectors(
        golden=golden,
        inputs={
            x.spec.name: arrays[f"inputs/{x.spec.name}"] for x in golden.inputs
        },
        outputs={
            x.spec.name: arrays[f"outputs/{x.spec.name}"]
            for x in golden.outputs
        },
        labels=labels,
    )


def replay(
    model_path: pathlib.Path,
    vectors: GoldenVectors,
    delegate: benchmark.Delegate = "xnnpack",
) -> golden_record.GoldenResult:
    """Runs a file on golden inputs and compares with the original's outputs.

    Args:
        model_path: A `.tflite`, mostly the one the vectors were written for.
        vectors: From `read`.
        delegate: `xnnpack`, or `none` for the builtin kernels.

    Raises:
        DataError: If the file has other inputs or outputs.
        ModelError: If the runtime cannot run it.
    """
    found = interpreter.load(model_path, delegate=delegate).run(vectors.inputs)
    return judge(model_path, vectors, found, delegate)


def judge(
    model_path: pathlib.Path,
    vectors: GoldenVectors,
    found: Arrays,
    delegate: benchmark.ToolDelegate,
) -> golden_record.GoldenResult:
    """Compares a replay, wherever it ran, with the original's outputs.

    Args:
        model_path: The `.tflite`.
        vectors: From `read`.
        found: Dequantized outputs by name, shape `(num_examples, ...)`.
        delegate: That gave them.

    Raises:
        DataError: If the file has other outputs.
    """
    _check_outputs(found, vectors.outputs)
    sha256 = files.sha256_of_file(model_path)
    golden = vectors.golden
    return golden_record.GoldenResult(
        model=model_path,
        sha256=sha256,
        is_own=sha256 == golden.artifact_sha256,
        delegate=delegate,
        num_examples=golden.num_examples,
        outputs=tuple(
            golden_comparison.compare(
                output,
                found[output.spec.name],
                vectors.outputs[output.spec.name],
            )
            for output in golden.outputs
        ),
    )


def describe(result: golden_record.GoldenResult) -> str:
    """Returns one phrase with what a replay found."""
    within = min(output.examples_within for output in result.outputs)
    apart = max(output.max_absolute_difference for output in result.outputs)
    others = "" if result.is_own else ", which are those of another file"
    return (
        f"{within} of {result.num_examples} examples within their tolerance"
        f"{others}, {apart:.3g} apart at most"
    )
