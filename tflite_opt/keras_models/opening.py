# SPDX-License-Identifier: Apache-2.0
"""Opens whatever a user calls a model.

A Keras 3 model is rebuilt in Keras 2, for the techniques that train. Where
that cannot be done, or the rebuilt model computes something else, the model is
converted as it is, and those techniques are told why they cannot work.
"""

import dataclasses
import importlib.metadata
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt import user_code
from tflite_opt.data import representative
from tflite_opt.keras_models import (
    loading,
    rebuilding,
    saved_model,
    traceable,
)
from tflite_opt.records import errors, examples, model_spec

# Largest difference between a Keras 3 model and its rebuilding; relative to
# the largest output where that is above 1.
MAX_DIFFERENCE = 1e-5
COMPARED_EXAMPLES = 64

_NO_LAYERS = "a SavedModel holds functions, not Keras layers"


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Opened:
    """A model that is ready to be traced.

    Attributes:
        original: The model as the user has it: what variants are compared
            with.
        converted: What is frozen and converted; the same, or its rebuilding.
        keras: The `tf_keras` model for techniques that train; None without.
        facts: What is written down about it.
    """

    original: traceable.Traceable
    converted: traceable.Traceable
    keras: Any | None
    facts: model_spec.OpenedModel

    def with_sizes(self, input_shapes: Mapping[str, Sequence[int]]) -> "Opened":
        """Returns the same with open sizes filled in."""
        original = self.original.with_sizes(input_shapes)
        converted = (
            original
            if self.converted is self.original
            else dataclasses.replace(self.converted, inputs=original.inputs)
        )
        return dataclasses.replace(self, original=original, converted=converted)

    def sized_for(self, inputs: Mapping[str, examples.Examples]) -> "Opened":
        """Fills open dimensions in with the sizes that the data have.

        Args:
            inputs: By name, shape `(n, ...)`.
        """
        specs = self.original.inputs
        if not any(-1 in spec.shape for spec in specs):
            return self
        found = representative.match_names(inputs, specs)
        return self.with_sizes(
            {
                spec.name: (1, *found[spec.name].shape[1:])
                for spec in specs
                if -1 in spec.shape
            }
        )

    def with_output_names(self, names: Sequence[str]) -> "Opened":
        """Returns the same with other names of its outputs, in order."""
        original = dataclasses.replace(self.original, output_names=tuple(names))
        converted = (
            original
            if self.converted is self.original
            else dataclasses.replace(self.converted, output_names=tuple(names))
        )
        return dataclasses.replace(self, original=original, converted=converted)

    def confirmed(
        self,
        inputs: Mapping[str, np.ndarray],
        outputs: Mapping[str, np.ndarray],
    ) -> "Opened":
        """Compares a rebuilt model with the original on real examples.

        Args:
            inputs: By input name, shape `(n, ...)`; the first ones are used.
            outputs: Of the original on all of them, by output name.

        Returns:
            With the difference written down; without the rebuilt model if it
            is too large.
        """
        if self.converted is self.original:
            return self
        from tflite_opt.keras_models import freezing

        few = {name: x[:COMPARED_EXAMPLES] for name, x in inputs.items()}
        found = freezing.predict(self.converted, few)
        difference = max(
            _difference(outputs[name][: len(array)], array)
            for name, array in found.items()
        )
        facts = dataclasses.replace(
            self.facts,
            rebuilt_difference=difference,
            num_compared=len(next(iter(found.values()))),
        )
        if difference <= MAX_DIFFERENCE:
            return dataclasses.replace(self, facts=facts)
        return dataclasses.replace(
            self,
            converted=self.original,
            keras=None,
            facts=dataclasses.replace(
                facts,
                trainable=False,
                untrainable_because=(
                    "rebuilt in Keras 2 its outputs differ by "
                    f"{difference:.1e}, more than {MAX_DIFFERENCE:g}"
                ),
            ),
        )


def build(spec: model_spec.ModelSpec) -> Any:
    """Returns what the user's function returns, with its weights.

    Raises:
        InputError: If there is no such function.
        UserCodeError: If it raises.
    """
    model = user_code.call(str(spec.function))
    if spec.weights is not None:
        user_code.guard(
            f"{spec.weights.name} for {spec.function}",
            model.load_weights,
            str(spec.weights),
        )
    return model


def open_model(spec: model_spec.ModelSpec, built: Any | None = None) -> Opened:
    """Opens a model that TensorFlow can run.

    Args:
        spec: Names it; no `.tflite` and no PyTorch program.
        built: What `build` returned for a function.

    Returns:
        With the sizes of `spec.input_shapes`; others may be open.

    Raises:
        ModelError: If it cannot be opened, in one line.
        UserCodeError: If the user's function raises.
    """
    path = spec.artifact.path
    objects = {
        reference.rpartition(":")[2].rpartition(".")[2]: user_code.find(
            reference
        )
        for reference in spec.custom_objects
    }
    if spec.function is not None:
        opened = _from_object(built, spec.function)
    elif spec.artifact.format == "saved_model":
        opened = _from_saved_model(path, spec.signature, objects)
    elif loading.keras_version(path).startswith("2."):
        opened = from_keras(loading.load(path, objects))
    else:
        opened = _from_keras3(loading.load_keras3(path, objects))
    if spec.output_names:
        opened = opened.with_output_names(spec.output_names)
    return opened.with_sizes(spec.input_shapes)


def _from_object(model: Any, function: str) -> Opened:
    import keras as keras3
    import tf_keras as keras

    if isinstance(model, keras.Model):
        return from_keras(model)
    if isinstance(model, keras3.Model):
        return _from_keras3(model)
    raise errors.ModelError(
        f"{function!r} must return a Keras model. "
        f"Received: {type(model).__module__}.{type(model).__name__}"
    )


def from_keras(model: Any) -> Opened:
    """Takes a `tf_keras` model as it is.

    Raises:
        ModelError: If it was never built.
    """
    import tf_keras as keras

    found = traceable.from_keras(model)
    is_graph = isinstance(model, keras.Sequential) or bool(
        getattr(model, "_is_graph_network", False)
    )
    return Opened(
        original=found,
        converted=found,
        keras=model if is_graph else None,
        facts=model_spec.OpenedModel(
            kind="keras",
            made_with=f"Keras {importlib.metadata.version('tf_keras')}",
            trainable=is_graph,
            untrainable_because="" if is_graph else _subclass(model),
        ),
    )


def _subclass(model: Any) -> str:
    return (
        f"{model.name!r} is a subclass of Model, whose layers form no graph; "
        "make it functional: `Model(inputs, model(inputs))`"
    )


def _from_keras3(model: Any) -> Opened:
    original = traceable.from_keras3(model)
    version = f"Keras {importlib.metadata.version('keras')}"
    try:
        rebuilt = rebuilding.rebuild(model)
    except rebuilding.NoCounterpartError as error:
        return Opened(
            original=original,
            converted=original,
            keras=None,
            facts=model_spec.OpenedModel(
                kind="keras3",
                made_with=version,
                trainable=False,
                untrainable_because=str(error),
            ),
        )
    # The rebuilt model's own names may differ where one layer became several.
    converted = dataclasses.replace(
        traceable.from_keras(rebuilt),
        inputs=original.inputs,
        output_names=original.output_names,
    )
    return Opened(
        original=original,
        converted=converted,
        keras=rebuilt,
        facts=model_spec.OpenedModel(
            kind="keras3", made_with=version, trainable=True
        ),
    )


def _from_saved_model(
    path: pathlib.Path, signature: str | None, objects: Mapping[str, Any]
) -> Opened:
    model = None if signature else loading.load_saved_model(path, objects)
    if model is not None:
        opened = from_keras(model)
        if opened.keras is not None:
            return opened
    found = saved_model.load(path, signature)
    return Opened(
        original=found,
        converted=found,
        keras=None,
        facts=model_spec.OpenedModel(
            kind="saved_model",
            made_with="SavedModel",
            trainable=False,
            untrainable_because=_NO_LAYERS,
        ),
    )


def _difference(expected: np.ndarray, found: np.ndarray) -> float:
    if expected.shape != found.shape:
        return float(np.finfo(np.float32).max)
    apart = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    largest = np.abs(expected.astype(np.float64)).max(initial=0.0)
    return float(apart.max(initial=0.0) / max(1.0, largest))
