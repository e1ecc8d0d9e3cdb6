# SPDX-License-Identifier: Apache-2.0
"""What every conversion of a model starts from, made once.

The float `.tflite`, the SavedModel where there is one, the outputs of the
user's own model on real examples, and what that model turned out to be.
Runs in the child process of a conversion.
"""

import dataclasses
import pathlib
import shutil
from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.conversion import job as job_lib
from tflite_opt.conversion import tflite_converter
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import doctor, representative
from tflite_opt.keras_models import (
    freezing,
    layer_support,
    opening,
    torch_program,
)
from tflite_opt.records import conversion, errors, facts, files, model_spec
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import interpreter, naming

_Outputs = dict[str, Mapping[str, np.ndarray]]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """A model on its way to a float `.tflite`.

    Attributes:
        opened: A model that TensorFlow traces; None for a file.
        content: The float `.tflite` itself; None for a model to be traced.
        facts: What is written down about it.
        program: What `content` was made from, if that can be run.
    """

    opened: opening.Opened | None
    content: bytes | None
    facts: model_spec.OpenedModel
    program: torch_program.Program | None = None


def open_source(spec: model_spec.ModelSpec) -> Source:
    """Opens whatever the user named.

    Raises:
        ModelError: If it cannot be opened, in one line.
        UserCodeError: If the user's function raises.
    """
    built = opening.build(spec) if spec.function else None
    if spec.artifact.format == "tflite":
        return Source(
            opened=None,
            content=naming.named(spec.artifact.path),
            facts=_untrainable("tflite", "a .tflite holds operations"),
        )
    if spec.artifact.format == "pytorch" or torch_program.is_module(built):
        program = torch_program.open_program(spec, built)
        return Source(
            opened=None,
            content=program.to_tflite(),
            facts=_untrainable("pytorch", "a PyTorch program has modules"),
            program=program,
        )
    opened = opening.open_model(spec, built)
    return Source(opened=opened, content=None, facts=opened.facts)


def write_float(
    source: Source, saved_model: pathlib.Path, float_model: pathlib.Path
) -> None:
    """Writes the float `.tflite`, and the SavedModel where there is one.

    Raises:
        ModelError: If the model cannot be frozen, or a file is not float.
        ConversionError: If the converter rejects it.
    """
    content = source.content
    if source.opened is not None:
        freezing.freeze(source.opened.converted, saved_model)
        content = tflite_converter.convert(
            saved_model, conversion.ConverterOptions(), {}
        )
    with files.atomic_path(float_model) as path:
        path.write_bytes(content or b"")
        if source.opened is None:
            _require_float(facts_reader.read_facts(path, delegation=False))


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
    source = open_source(spec)
    if source.opened is None:
        write_float(source, layout.saved_model, layout.float_model)
        outputs = _outputs_of_file(source, layout, dataset, reference_splits)
    else:
        opened, outputs = _outputs_of_model(
            source.opened, layout, dataset, reference_splits
        )
        source = dataclasses.replace(
            source,
            opened=opened,
            facts=dataclasses.replace(opened.facts, layers=_layers(opened)),
        )
        write_float(source, layout.saved_model, layout.float_model)
    for name, arrays in outputs.items():
        files.write_npz(layout.original_outputs(name), arrays)
    source.facts.save(layout.opened, layout.root)


def _layers(opened: opening.Opened) -> tuple[str, ...]:
    if opened.keras is None:
        return ()
    return tuple(path for path, _ in layer_support.walk(opened.keras))


def _untrainable(
    kind: model_spec.ModelKind, because: str
) -> model_spec.OpenedModel:
    return model_spec.OpenedModel(
        kind=kind,
        made_with=kind,
        trainable=False,
        untrainable_because=f"{because}, not Keras layers",
    )


def _outputs_of_file(
    source: Source,
    layout: job_lib.Layout,
    dataset: dataset_lib.Dataset,
    reference_splits: Sequence[str],
) -> _Outputs:
    """Runs a program, or a file that is its own original."""
    loaded = interpreter.load(layout.float_model)
    _examine(dataset, loaded.inputs, layout)
    names = [spec.name for spec in loaded.outputs]
    outputs: _Outputs = {}
    for name in reference_splits:
        inputs = representative.match_inputs(
            dataset[name].inputs, loaded.inputs
        )
        outputs[name] = (
            source.program.predict(inputs, names)
            if source.program
            else interpreter.predict(layout.float_model, inputs)
        )
        _check_labels(dataset[name], outputs[name])
    return outputs


def _outputs_of_model(
    opened: opening.Opened,
    layout: job_lib.Layout,
    dataset: dataset_lib.Dataset,
    reference_splits: Sequence[str],
) -> tuple[opening.Opened, _Outputs]:
    """Runs the user's own model, and confirms a rebuilt one by it."""
    opened = opened.sized_for(dataset["calibration"].inputs)
    specs = freezing.input_specs(opened.original)
    _examine(dataset, specs, layout)
    outputs: _Outputs = {}
    for name in reference_splits:
        inputs = representative.match_inputs(dataset[name].inputs, specs)
        outputs[name] = freezing.predict(opened.original, inputs)
        _check_labels(dataset[name], outputs[name])
        opened = opened.confirmed(inputs, outputs[name])
    return opened, outputs


def _examine(
    dataset: dataset_lib.Dataset,
    specs: Sequence[facts.TensorSpec],
    layout: job_lib.Layout,
) -> None:
    """Refuses representative data that cannot be right; notes the rest."""
    check = doctor.examine(dataset["calibration"], dataset["train"], specs)
    doctor.require_usable(check)
    check.save(layout.data_check, layout.root)


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
