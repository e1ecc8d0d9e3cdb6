# SPDX-License-Identifier: Apache-2.0
"""Golden vectors on a device: does the file compute there what it should?

TFLite's tool takes inputs from files and writes its outputs into one, an
inference in a launch. Shows a delegate's numerics, and inputs in a wrong
order. LiteRT's tool and the app cannot be asked.
"""

import dataclasses
import pathlib
import tempfile

import numpy as np

from android_bench import device as device_lib
from android_bench import shell_tool, workspace
from android_bench import tool as tool_lib
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, facts
from tflite_opt.records import golden as golden_record
from tflite_opt.tflite import golden, ports

_FLAGS = (
    "input_layer",
    "input_layer_shape",
    "input_layer_value_files",
    "output_filepath",
)
# What a GPU computes in float16 is off by more than the tolerance of a CPU.
_CPU_DELEGATES = ("xnnpack", "none")
_MIN_COSINE_SIMILARITY = 0.999
# Of fewer labels, a share says nothing.
_MIN_LABELS = 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where it happens.

    Attributes:
        device: The device.
        used: The tool, open.
        space: The workspace, entered.
    """

    device: device_lib.Device
    used: tool_lib.Tool
    space: workspace.Workspace


def check(
    artifact: artifact_record.Artifact,
    model: str,
    options: benchmark.RuntimeOptions,
    place: Place,
) -> benchmark.OutputCheck | None:
    """Replays the golden vectors beside a file.

    Args:
        artifact: The file.
        model: Where it is on the device.
        options: Of the launches; their delegate and threads count.
        place: Where.

    Returns:
        None if there are no golden vectors.

    Raises:
        BenchmarkError: If the outputs are wrong, or the tool fails.
        InputError: If the golden file is damaged.
    """
    path = golden_record.path_beside(artifact.path)
    if not path.is_file():
        return None
    if not place.used.knows(*_FLAGS):
        return _unchecked("This tool takes no inputs; outputs are unchecked.")
    vectors = golden.read(path)
    found = _outputs(artifact, model, options, place, vectors)
    result = golden.judge(artifact.path, vectors, found, options.delegate)
    _require_right(artifact.name, result)
    return benchmark.OutputCheck(
        reference="golden vectors",
        description=golden.describe(result) + _accuracy(vectors, found),
        warnings=_warnings(result),
    )


def _outputs(
    artifact: artifact_record.Artifact,
    model: str,
    options: benchmark.RuntimeOptions,
    place: Place,
    vectors: golden.GoldenVectors,
) -> dict[str, np.ndarray]:
    """Returns dequantized outputs by name, shape `(n, ...)`."""
    inputs = sorted(vectors.golden.inputs, key=lambda x: x.position)
    outputs = sorted(vectors.golden.outputs, key=lambda x: x.position)
    step = abs(inputs[0].spec.shape[0])
    count = vectors.golden.num_examples
    parts: dict[str, list[np.ndarray]] = {x.spec.name: [] for x in outputs}
    for start in range(0, count, step):
        arrays = [
            _padded(vectors.inputs[x.spec.name][start : start + step], step)
            for x in inputs
        ]
        raw = _infer(
            artifact.name,
            model,
            options,
            place,
            [
                ports.to_raw(array, x.spec)
                for array, x in zip(arrays, inputs, strict=True)
            ],
        )
        shapes = [
            (step, *vectors.outputs[x.spec.name].shape[1:]) for x in outputs
        ]
        specs = [x.spec for x in outputs]
        for spec, values in zip(specs, _split(raw, specs, shapes), strict=True):
            parts[spec.name].append(ports.to_real(values, spec))
    return {
        name: np.concatenate(arrays)[:count] for name, arrays in parts.items()
    }


def _padded(rows: np.ndarray, size: int) -> np.ndarray:
    padding = [(0, size - len(rows))] + [(0, 0)] * (rows.ndim - 1)
    return np.pad(rows, padding, mode="edge")


def _infer(
    name: str,
    model: str,
    options: benchmark.RuntimeOptions,
    place: Place,
    arrays: list[np.ndarray],
) -> bytes:
    """Returns the outputs of one inference, one after the other."""
    scratch = place.space.scratch
    output = f"{scratch}/outputs.bin"
    # The tool goes by the order of inputs; other names are a warning.
    names = [f"input_{i}" for i in range(len(arrays))]
    with tempfile.TemporaryDirectory() as folder:
        for given, array in zip(names, arrays, strict=True):
            local = pathlib.Path(folder) / given
            local.write_bytes(array.tobytes())
            place.device.push(local, f"{scratch}/{given}")
    shapes = [",".join(map(str, array.shape)) for array in arrays]
    arguments = place.used.arguments(
        model,
        tool_lib.once(options),
        {
            "input_layer": ",".join(names),
            "input_layer_shape": ":".join(shapes),
            "input_layer_value_files": ",".join(
                f"{given}:{scratch}/{given}" for given in names
            ),
            "output_filepath": output,
        },
    )
    place.used.run(
        name,
        arguments,
        cpu_mask=options.cpu_mask,
        timeout_s=options.timeout_s,
    )
    return shell_tool.read_file(place.device, output)


def _split(
    raw: bytes,
    specs: list[facts.TensorSpec],
    shapes: list[tuple[int, ...]],
) -> list[np.ndarray]:
    sizes = [
        int(np.prod(shape)) * np.dtype(spec.dtype).itemsize
        for spec, shape in zip(specs, shapes, strict=True)
    ]
    if len(raw) != sum(sizes):
        raise errors.BenchmarkError(
            "The tool must write all outputs of the model. "
            f"Received: {len(raw)} bytes of {sum(sizes)}."
        )
    found, start = [], 0
    for spec, shape, size in zip(specs, shapes, sizes, strict=True):
        part = np.frombuffer(raw[start : start + size], spec.dtype)
        found.append(part.reshape(shape))
        start += size
    return found


def _require_right(name: str, result: golden_record.GoldenResult) -> None:
    if result.ok or (
        result.delegate not in _CPU_DELEGATES
        and all(map(_agrees, result.outputs))
    ):
        return
    raise errors.BenchmarkError(
        f"{name!r} computes something else on the device than its golden "
        f"vectors: {golden.describe(result)}. Its latency would mean nothing. "
        "--nocheck measures it nevertheless."
    )


def _agrees(output: golden_record.OutputReplay) -> bool:
    if output.top1_agreement is not None:
        return output.top1_agreement == 1.0
    similarity = output.cosine_similarity
    return similarity is not None and similarity >= _MIN_COSINE_SIMILARITY


def _warnings(result: golden_record.GoldenResult) -> tuple[str, ...]:
    if result.ok:
        return ()
    return (
        f"Outputs of {result.delegate} are beyond the tolerance of a CPU, as "
        "those of float16 are, but agree with the original model.",
    )


def _accuracy(
    vectors: golden.GoldenVectors, found: dict[str, np.ndarray]
) -> str:
    labels, scores = vectors.labels, next(iter(found.values()))
    if (
        labels is None
        or len(labels) < _MIN_LABELS
        or labels.ndim != 1
        or labels.dtype.kind not in "iu"
        or len(found) > 1
        or scores.ndim != 2
    ):
        return ""
    right = int((scores.argmax(axis=-1) == labels).sum())
    return f", {right} of {len(labels)} labels right"


def _unchecked(reason: str) -> benchmark.OutputCheck:
    return benchmark.OutputCheck(
        reference="golden vectors",
        description="not compared",
        warnings=(reason,),
    )
