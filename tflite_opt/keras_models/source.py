# SPDX-License-Identifier: Apache-2.0
"""The model that a run works on: taken from the user, or trained here.

Finds out what kind of thing the user named, without opening it: that may
crash, and happens in the process that converts.
"""

import dataclasses
import importlib.util
import pathlib
import tempfile

from tflite_opt import child_process, user_code
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.keras_models import reference, train_reference
from tflite_opt.records import (
    artifact,
    errors,
    files,
    model_spec,
    run_directory,
    serialization,
    training,
)

_SAVED_MODEL_FILE = "saved_model.pb"
_FORMATS: dict[str, artifact.ArtifactFormat] = {
    ".h5": "keras",
    ".keras": "keras",
    ".tflite": "tflite",
    ".pt2": "pytorch",
}
_KNOWN = (
    "a Keras model (.h5, .keras), a SavedModel directory, a float .tflite, a "
    "PyTorch program (.pt2), or package.module:function"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice(serialization.Record):
    """What the user says about the model.

    Attributes:
        model: A path, `package.module:function`, the name of a reference
            model, which is trained first, or None for the trained sample.
        weights: A `.weights.h5` for the model that a function returns.
        custom_objects: `package.module:NAME` each.
        signature: Of a SavedModel with several.
        input_shapes: Sizes of open dimensions, by input name.
        model_options: Keyword arguments of a reference model's `build`.
    """

    model: str | None = None
    weights: str | None = None
    custom_objects: tuple[str, ...] = ()
    signature: str | None = None
    input_shapes: dict[str, tuple[int, ...]] = dataclasses.field(
        default_factory=dict
    )
    model_options: dict[str, float | bool] = dataclasses.field(
        default_factory=dict
    )

    @property
    def must_be_trained(self) -> bool:
        """Whether it is a reference model."""
        return self.model in reference.names()


def take_model(
    choice: Choice,
    data: dataset_lib.DataSpec,
    data_fingerprint: str,
    options: training.TrainingOptions,
    run: run_directory.RunDirectory,
) -> model_spec.ModelSpec:
    """Returns the model to work on.

    Args:
        choice: What the user named.
        data: What a reference model is trained on.
        data_fingerprint: Hash of all its splits.
        options: How.
        run: Gets the trained model.

    Raises:
        ModelError: If there is no such model, or training fails.
    """
    if choice.must_be_trained:
        request = train_reference.Request(
            model=str(choice.model),
            model_options=choice.model_options,
            data=data,
            options=options,
            path=run.path("model", f"{choice.model}.h5"),
            overwrite=True,
        )
        return _spec(choice, _train(request, data_fingerprint, run))
    found = describe(choice)
    _refuse_training_examples(found.artifact, data)
    return found


def describe(choice: Choice) -> model_spec.ModelSpec:
    """Returns what the user named, told apart by what is there.

    Args:
        choice: No reference model.

    Raises:
        ModelError: If there is no such model.
    """
    return _spec(choice, _describe(choice))


def _spec(choice: Choice, found: artifact.Artifact) -> model_spec.ModelSpec:
    if choice.model_options and not choice.must_be_trained:
        raise errors.ModelError(
            f"Only reference models are built here. Received: "
            f"{', '.join(choice.model_options)} with model={choice.model!r}."
        )
    function = choice.model if found.format == "function" else None
    if choice.weights and not function:
        raise errors.ModelError(
            "`weights` belong to a model that a function returns. Received: "
            f"weights={choice.weights!r} with model={choice.model!r}."
        )
    return model_spec.ModelSpec(
        artifact=found,
        function=function,
        weights=(
            pathlib.Path(choice.weights).expanduser().resolve()
            if choice.weights
            else None
        ),
        custom_objects=choice.custom_objects,
        signature=choice.signature,
        input_shapes=choice.input_shapes,
    )


def _describe(choice: Choice) -> artifact.Artifact:
    model = choice.model
    path = (
        pathlib.Path(model).expanduser()
        if model
        else reference.sample_model_path()
    )
    if path.exists():
        return artifact.describe(path, format=_format(path))
    if model and user_code.is_reference(model):
        return _describe_function(model, choice.weights)
    if path.suffix in _FORMATS or len(path.parts) > 1:
        raise errors.ModelError(f"No model at {str(path)!r}.")
    raise errors.ModelError(
        f"`model` must be {_KNOWN}, or one of {', '.join(reference.names())}. "
        f"Received: model={model!r}"
    )


def _format(path: pathlib.Path) -> artifact.ArtifactFormat:
    if path.is_dir() and (path / _SAVED_MODEL_FILE).is_file():
        return "saved_model"
    if path.name.endswith(".weights.h5"):
        raise errors.ModelError(
            "A file of weights holds no architecture. Received: "
            f"{str(path)!r}. Give the function that builds the model, as in "
            f"--model=package.module:function --weights={path}."
        )
    if path.suffix == ".onnx":
        raise errors.ModelError(
            "ONNX is not read: the packages that convert it need other "
            f"versions of what is installed here. Received: {str(path)!r}. "
            "Convert it in an environment of its own (`pip install onnx2tf`, "
            f"`onnx2tf -i {path.name}`) and give the float32 .tflite it writes."
        )
    if path.suffix not in _FORMATS:
        raise errors.ModelError(
            f"`model` must be {_KNOWN}. Received: {str(path)!r}"
            + (f", without {_SAVED_MODEL_FILE}" if path.is_dir() else "")
        )
    return _FORMATS[path.suffix]


def _describe_function(
    reference_text: str, weights: str | None
) -> artifact.Artifact:
    """Describes a function by the file of its module and its weights."""
    module = reference_text.partition(":")[0]
    user_code.add_current_directory()
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise errors.ModelError(
            f"No module {module!r}. Received: model={reference_text!r}. Run "
            "from the directory that holds it, or install it."
        )
    source = artifact.describe(pathlib.Path(spec.origin), format="function")
    hashes = [source.sha256, reference_text]
    if weights:
        described = artifact.describe(pathlib.Path(weights), format="keras")
        hashes.append(described.sha256)
    return dataclasses.replace(
        source,
        name=reference_text.partition(":")[2],
        sha256=files.sha256_of_text(" ".join(hashes)),
    )


def _refuse_training_examples(
    model: artifact.Artifact, data: dataset_lib.DataSpec
) -> None:
    """Refuses a split that puts the model's training examples into others."""
    record_path = train_reference.record_path(model.path)
    if not record_path.is_file():
        return
    record = training.TrainedModel.load(record_path)
    same = record.artifact.sha256 == model.sha256
    if same and record.dataset == data.source and record.data_seed != data.seed:
        raise errors.InputError(
            f"{model.path.name} was trained on the split of --data_seed="
            f"{record.data_seed}; under another seed, examples that it was "
            "trained on are in the validation and test splits. Received: "
            f"data_seed={data.seed}."
        )


def _train(
    request: train_reference.Request,
    data_fingerprint: str,
    run: run_directory.RunDirectory,
) -> artifact.Artifact:
    """Trains a reference model in a process of its own.

    The process gives TensorFlow's memory back when it ends, and is killed
    when this one is interrupted.

    Raises:
        ModelError: If the process dies.
    """
    inputs = {
        "model": request.model,
        "model_options": request.model_options,
        "data": data_fingerprint,
        "options": request.options.without_logs().to_json(),
        "versions": run_directory.package_versions(),
    }
    if not run.is_done("train", inputs):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "request.json"
            request.save(path)
            try:
                for error in child_process.events(
                    train_reference.__name__, [str(path)]
                ):
                    raise errors.from_child(**error)
            except child_process.ChildError as died:
                raise errors.ModelError(
                    f"Training {request.model} ended early: {died}. If memory "
                    "is the reason, lower --batch_size or --limit."
                ) from died
        run.finish("train", inputs, [request.path, request.record_path])
    record = training.TrainedModel.load(request.record_path)
    return record.artifact
