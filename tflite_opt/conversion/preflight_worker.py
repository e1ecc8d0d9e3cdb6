# SPDX-License-Identifier: Apache-2.0
"""The child process of a preflight; reports each part as soon as it is known.

Run as `python -m tflite_opt.conversion.preflight_worker REQUEST.json EVENT_FD`.
"""

import dataclasses
import json
import os
import pathlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tflite_opt import recipe as recipe_lib
from tflite_opt.conversion import context as context_lib
from tflite_opt.conversion import freeze, litert_quantizer
from tflite_opt.conversion import preflight as preflight_stage
from tflite_opt.data import sources
from tflite_opt.records import errors, facts, preflight
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import layer_names, probe

# One recipe for each way to quantize after training, the safer one first, and
# the name of LiteRT Quantizer's policy for it.
_RECIPES = {"dynamic_range": "dynamic_wi8_afp32", "int8": "static_wi8_ai8"}
_NUM_SAMPLES = 4
# What the model is to blame for; anything else ends the preflight.
_FAILURES = (
    errors.ModelError,
    errors.ConversionError,
    errors.VerificationError,
)

Emit = Callable[..., None]


def main(arguments: list[str]) -> None:
    """Examines one model."""
    path = pathlib.Path(arguments[0])
    request = preflight_stage.Request.load(path)
    with os.fdopen(int(arguments[1]), "w") as events:

        def emit(event: str, **values: Any) -> None:
            events.write(json.dumps({"event": event, **values}) + "\n")
            events.flush()

        try:
            _run(request, path.parent, emit)
        except errors.TfliteOptError as error:
            emit("aborted", error=errors.to_parent(error))


def _run(
    request: preflight_stage.Request, folder: pathlib.Path, emit: Emit
) -> None:
    emit("step", name="load")
    source, keras = _load(request)
    emit("keras", content=keras.to_json())
    layers = [layer.path for layer in keras.layers]
    emit("step", name="float32")
    saved_model, float_model = folder / "saved_model", folder / "float.tflite"
    try:
        freeze.write_float(source, saved_model, float_model)
        backend = "tflite_converter" if source.opened else ""
        found, file = _read(request, float_model, "float32", layers, backend)
    except _FAILURES as error:
        if source.opened is None:
            # A file that is not float was never a model to convert.
            raise
        emit("failed", message=str(error))
        return
    emit("file", content=file.to_json())
    emit("uncovered", content=_uncovered(found))
    context = context_lib.FrozenModel(
        float_model, found, saved_model, _random_samples(request, found)
    )
    for name in _RECIPES:
        emit("step", name=name)
        path = folder / f"{name}.tflite"
        technique = recipe_lib.presets()[name].convert
        try:
            converted = technique.convert(context)
            path.write_bytes(converted.content)
            found, file = _read(request, path, name, layers, converted.backend)
            emit("file", content=file.to_json())
            technique.verify(found)
            _require_runnable(file)
        except _FAILURES as error:
            emit("failed", message=str(error))


def _load(
    request: preflight_stage.Request,
) -> tuple[freeze.Source, preflight.KerasSupport]:
    """Returns the model and what is known of its layers.

    Raises:
        ModelError: If it cannot be opened or built, or is no float model.
        DataError: If the data of a reference model cannot be loaded.
    """
    from tflite_opt.keras_models import (
        layer_support,
        opening,
        train_reference,
    )

    choice = request.choice
    if request.model is not None:
        found = freeze.open_source(request.model)
    else:
        data = sources.load(request.data)
        opened = opening.from_keras(
            train_reference.build(str(choice.model), data, choice.model_options)
        )
        found = freeze.Source(opened=opened, content=None, facts=opened.facts)
    if found.opened is not None:
        found = dataclasses.replace(
            found, opened=_with_sizes(request, found.opened)
        )
    if found.opened is None or found.opened.keras is None:
        return found, preflight.KerasSupport(
            unknown_because=found.facts.untrainable_because
        )
    return found, layer_support.examine(found.opened.keras)


def _with_sizes(request: preflight_stage.Request, opened: Any) -> Any:
    if request.uses_data:
        split = sources.load(request.data)["calibration"]
        opened = opened.sized_for(split.inputs)
    size = request.dynamic_dimension
    if size is None:
        return opened
    return opened.with_sizes(
        {
            spec.name: tuple(size if n == -1 else n for n in spec.shape)
            for spec in opened.original.inputs
        }
    )


def _uncovered(found: facts.ModelFacts) -> dict[str, tuple[str, ...]]:
    weighted = tuple(o for o in found.operators if o.weights)
    # Only weights are quantized when activations are not calibrated.
    subjects = {
        "dynamic_range": dataclasses.replace(found, operators=weighted),
        "int8": found,
    }
    return {
        name: litert_quantizer.unsupported_operations(subjects[name], policy)
        for name, policy in _RECIPES.items()
    }


def _random_samples(
    request: preflight_stage.Request, found: facts.ModelFacts
) -> Mapping[str, np.ndarray]:
    """Returns inputs that show the structure of a quantized file, no more."""
    generator = np.random.default_rng(0)
    specs = found.signatures[0].inputs if found.signatures else found.inputs
    samples = {}
    for spec in specs:
        sizes = request.choice.input_shapes.get(spec.name, spec.shape)
        shape = [
            (request.dynamic_dimension or 1) if size == -1 else size
            for size in (_NUM_SAMPLES, *sizes[1:])
        ]
        if np.issubdtype(spec.dtype, np.floating):
            values = generator.random(shape)
        else:
            # Every vocabulary has a 0 and a 1.
            values = generator.integers(0, 2, shape)
        samples[spec.name] = values.astype(spec.dtype)
    return samples


def _read(
    request: preflight_stage.Request,
    path: pathlib.Path,
    recipe: str,
    layers: list[str],
    backend: str,
) -> tuple[facts.ModelFacts, preflight.ConvertedFile]:
    """Returns the facts of a file and what they mean for the layers.

    Raises:
        InputError: If the shapes of the request do not fit the file.
    """
    found = facts_reader.read_facts(
        path,
        delegation=False,
        input_shapes=request.choice.input_shapes,
        dynamic_dimension=request.dynamic_dimension,
    )
    # This process may crash, so it needs no other one for that.
    prepared = probe.probe(
        path, input_shapes=found.assumed_shapes, isolated=False
    )
    origins = layer_names.layers_of_operations(path, found, layers)
    return found, preflight.ConvertedFile(
        recipe=recipe,
        backend=backend,
        operations=tuple(
            preflight.Operation(
                subgraph=operator.subgraph,
                index=operator.index,
                name=operator.name,
                layers=origins[operator.subgraph, operator.index],
                arithmetic=_arithmetic(operator, found),
                is_delegated=(
                    None
                    if operator.subgraph or prepared.partitions is None
                    else operator.index not in prepared.left_out
                ),
            )
            for operator in found.operators
        ),
        partitions=prepared.partitions,
        delegate_error=prepared.delegate_error,
        builtin_error=prepared.builtin_error,
    )


def _arithmetic(
    operator: facts.OperatorFacts, found: facts.ModelFacts
) -> preflight.Arithmetic:
    tensors = {
        t.index: t for t in found.tensors if t.subgraph == operator.subgraph
    }
    used = [
        tensors[index]
        for index in (*operator.inputs, *operator.outputs)
        if index != -1
    ]
    is_float = any(
        tensor.dtype in facts.FLOAT_DTYPES
        for tensor in used
        if tensor.role not in ("weight", "bias", "constant")
    )
    if not is_float:
        return "integer"
    hybrid = any(
        tensors[index].dtype in facts.INTEGER_WEIGHT_DTYPES
        for index in operator.weights
    )
    return "hybrid" if hybrid else "float"


def _require_runnable(file: preflight.ConvertedFile) -> None:
    if file.delegate_error and file.builtin_error:
        raise errors.ConversionError(
            "The interpreter must be able to prepare the file. "
            f"Received: {file.delegate_error}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
