# SPDX-License-Identifier: Apache-2.0
"""What every conversion of a model starts from, made once.

The float `.tflite`, the SavedModel where there is one, the outputs of the
user's own model on real examples, and what that model turned out to be.
Runs in the child process of a conversion.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.conversion import job as job_lib
from tflite_opt.conversion import tflite_converter
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import doctor, representative
from tflite_opt.keras_models import freezing, opening, torch_program
from tflite_opt.records import conversion, errors, facts, files, model_spec
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import interpreter, naming

_Predict = Callable[
    [Mapping[str, np.ndarray], Sequence[str]], dict[str, np.ndarray]
]
_Outputs = dict[str, Mapping[str, np.ndarray]]


def freeze(
    spec: model_spec.ModelSpec,
    layout: job_lib.Layout,
    dataset: dataset_lib.Dataset,
    reference_splits: Sequence[str],
) -> None:
    """Writes the SavedModel, the float `.tflite` and the original's outputs.

    Args:
        spec: The model.
        layout: Where to write.
        dataset: Its data.
        reference_splits: Splits on which the original's outputs are kept.

    Raises:
        ModelError: If the model cannot be opened or frozen.
        DataError: If the data do not fit it.
        ConversionError: If the converter rejects it.
    """
    shutil.rmtree(layout.saved_model, ignore_errors=True)
    built = opening.build(spec) if spec.function else None
    if spec.artifact.format == "tflite":
        content = naming.named(spec.artifact.path)
        outputs = _take_file(content, layout, dataset, reference_splits)
        found = model_spec.OpenedModel(
            kind="tflite",
            made_with=".tflite",
            trainable=False,
            untrainable_because="a .tflite holds operations, not Keras layers",
        )
    elif spec.artifact.format == "pytorch" or torch_program.is_module(built):
        program = torch_program.open_program(spec, built)
        outputs = _take_file(
            program.to_tflite(),
            layout,
            dataset,
            reference_splits,
            program.predict,
        )
        found = model_spec.OpenedModel(
            kind="pytorch",
            made_with="PyTorch",
            trainable=False,
            untrainable_because="a PyTorch program has no Keras layers",
        )
    else:
        opened = opening.open_model(spec, built)
        found, outputs = _take_keras(opened, layout, dataset, reference_splits)
    for name, arrays in outputs.items():
        files.write_npz(layout.keras_outputs(name), arrays)
    found.save(layout.opened, layout.root)


def _take_file(
    content: bytes,
    layout: job_lib.Layout,
    dataset: dataset_lib.Dataset,
    reference_splits: Sequence[str],
    predict: _Predict | None = None,
) -> _Outputs:
    """Takes a float `.tflite` as it is.

    It is its own original, unless `predict` runs what it was made from.
    """
    with files.atomic_path(layout.float_model) as path:
        path.write_bytes(content)
        found = facts_reader.read_facts(path, delegation=False)
        _require_float(found)
        loaded = interpreter.load(path)
        specs, names = loaded.inputs, [x.name for x in loaded.outputs]
        _examine(dataset, specs, layout)
        outputs: _Outputs = {}
        for name in reference_splits:
            inputs = representative.match_inputs(dataset[name].inputs, specs)
            outputs[name] = (
                predict(inputs, names)
                if predict
                else interpreter.predict(path, inputs)
            )
            _check_labels(dataset[name], outputs[name])
    return outputs


def _take_keras(
    opened: opening.Opened,
    layout: job_lib.Layout,
    dataset: dataset_lib.Dataset,
    reference_splits: Sequence[str],
) -> tuple[model_spec.OpenedModel, _Outputs]:
    sizes = _sizes(opened.original.inputs, dataset["calibration"])
    opened = opened.with_sizes(sizes)
    specs = freezing.input_specs(opened.original)
    _examine(dataset, specs, layout)
    outputs: _Outputs = {}
    for name in reference_splits:
        inputs = representative.match_inputs(dataset[name].inputs, specs)
        outputs[name] = freezing.predict(opened.original, inputs)
        _check_labels(dataset[name], outputs[name])
        opened = opened.confirmed(inputs, outputs[name])
    freezing.freeze(opened.converted, layout.saved_model)
    content = tflite_converter.convert(
        layout.saved_model, conversion.ConverterOptions(), {}
    )
    files.write_bytes(layout.float_model, content)
    return opened.facts, outputs


def _examine(
    dataset: dataset_lib.Dataset,
    specs: Sequence[facts.TensorSpec],
    layout: job_lib.Layout,
) -> None:
    """Refuses representative data that cannot be right; notes the rest."""
    check = doctor.examine(dataset["calibration"], dataset["train"], specs)
    doctor.require_usable(check)
    check.save(layout.data_check, layout.root)


def _sizes(
    specs: Sequence[facts.TensorSpec], split: dataset_lib.Split
) -> dict[str, tuple[int, ...]]:
    """Returns the data's sizes for inputs with open dimensions."""
    arrays: Mapping[str, Any] = representative.match_names(split.inputs, specs)
    return {
        spec.name: (1, *arrays[spec.name].shape[1:])
        for spec in specs
        if -1 in spec.shape
    }


def _require_float(found: facts.ModelFacts) -> None:
    quantized = [
        tensor
        for tensor in found.weights
        if tensor.dtype in facts.INTEGER_WEIGHT_DTYPES
        or tensor.dtype == "float16"
    ]
    if quantized:
        names = ", ".join(
            f"{t.name or f'tensor {t.index}'} ({t.dtype})"
            for t in quantized[:3]
        )
        raise errors.ModelError(
            "Variants start from a model whose weights are float32. Received: "
            f"{len(quantized)} of {len(found.weights)} weight tensors are not: "
            f"{names}. Give the float model that it was made from."
        )


def _check_labels(
    split: dataset_lib.Split, outputs: Mapping[str, np.ndarray]
) -> None:
    if split.labels is None or not dataset_lib.are_class_indices(split.labels):
        return
    shape = next(iter(outputs.values())).shape
    # One score for two classes and reconstructions are no list of classes.
    if len(shape) != 2 or shape[1] < 2:
        return
    num_outputs, largest = shape[1], int(split.labels.max())
    if largest >= num_outputs:
        raise errors.DataError(
            "Labels must be classes of the model. Received: "
            f"label={largest}, split={split.name!r}, and a model with "
            f"{num_outputs} outputs. Use the data set it was trained on."
        )
