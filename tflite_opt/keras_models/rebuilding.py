# SPDX-License-Identifier: Apache-2.0
"""Rebuilds a Keras 3 model in tf_keras, layer by layer, with its weights.

TF-MOT takes models of Keras 2 only. The graph of the Keras 3 model is run with
tf_keras tensors: each layer is made again from its configuration and called in
its place. Whether the result computes the same is for the caller to check on
real inputs.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tflite_opt.keras_models import rebuilt_operations
from tflite_opt.records import errors

# Settings of Keras 3 that tf_keras lacks and that change no output.
_HARMLESS = frozenset(
    {"seed", "data_format", "flash_attention", "autocast", "batch_shape"}
)
_FROM_THE_LAYER = ("name", "trainable", "dtype")
_RENAMED = {"LeakyReLU": {"negative_slope": "alpha"}}


class NoCounterpartError(errors.ModelError):
    """A layer of Keras 3 that cannot be made in tf_keras."""


def rebuild(model: Any) -> Any:
    """Returns the same model in tf_keras.

    Initializers are left out: all weights are copied. Layers keep their
    names; an activation that Keras 2 lacks becomes several layers.

    Args:
        model: A built functional or sequential Keras 3 model; not modified.

    Returns:
        A functional `tf_keras` model, not compiled.

    Raises:
        NoCounterpartError: If a layer has no counterpart, by its name.
    """
    return _Rebuilder().model(model)


class _Rebuilder:
    """Layers made so far, since a layer may be called several times."""

    def __init__(self) -> None:
        self._made: dict[int, Callable[..., Any]] = {}

    def model(self, source: Any) -> Any:
        import keras as keras3
        import tf_keras as keras

        graph = source
        if isinstance(source, keras3.Sequential):
            # The graph that a sequential model keeps for itself.
            graph = source._functional
        if not isinstance(graph, keras3.Model) or not hasattr(
            graph, "_run_through_graph"
        ):
            raise NoCounterpartError(
                f"the model {source.name!r} is a subclass of Model, whose "
                "layers form no graph"
            )
        inputs = [self._input(tensor) for tensor in graph.inputs]
        outputs = graph._run_through_graph(inputs, self._operation)
        return keras.Model(
            inputs[0] if len(inputs) == 1 else inputs, outputs, name=source.name
        )

    def _input(self, tensor: Any) -> Any:
        import tf_keras as keras

        # Ids of tensors start where the layer of the input lies.
        layer = tensor._keras_history.operation
        if getattr(tensor, "sparse", False) or getattr(tensor, "ragged", False):
            raise NoCounterpartError(
                f"the input {layer.name!r} is sparse or ragged"
            )
        return keras.Input(
            tensor.shape[1:],
            batch_size=tensor.shape[0],
            dtype=tensor.dtype,
            name=layer.name,
        )

    def _operation(self, source: Any) -> Callable[..., Any]:
        if id(source) not in self._made:
            self._made[id(source)] = self._make(source)
        return self._made[id(source)]

    def _make(self, source: Any) -> Callable[..., Any]:
        import keras as keras3

        if isinstance(source, keras3.Model):
            return _without_defaults(self.model(source))
        if isinstance(source, keras3.layers.Layer):
            return self._layer(source)
        found = rebuilt_operations.operation(source)
        if found is None:
            raise NoCounterpartError(
                f"the operation {type(source).__name__} ({source.name}) has no "
                "counterpart in Keras 2"
            )
        return found

    def _layer(self, source: Any) -> Callable[..., Any]:
        name = source.get_config().get("activation")
        composed = None
        if (
            isinstance(name, str)
            and not rebuilt_operations.activation_name(name)
            and not hasattr(source, "recurrent_activation")
        ):
            composed = rebuilt_operations.activation(name, source.name)
        if type(source).__name__ == "Activation" and composed:
            return composed
        layer = counterpart(source, linear=composed is not None)

        def call(*args: Any, **kwargs: Any) -> Any:
            outputs = _without_defaults(layer)(*args, **kwargs)
            _copy_weights(source, layer)
            return composed(outputs) if composed else outputs

        return call


def counterpart(source: Any, *, linear: bool = False) -> Any:
    """Returns the tf_keras layer of the same kind, without weights.

    Args:
        source: A Keras 3 layer.
        linear: Whether to leave its activation out.

    Raises:
        NoCounterpartError: If there is none.
    """
    made = _layer_class(source)
    accepted = _parameters(made)
    renamed = _RENAMED.get(type(source).__name__, {})
    config: dict[str, Any] = {}
    for key, value in source.get_config().items():
        key = renamed.get(key, key)
        if key in _FROM_THE_LAYER or key.endswith("_initializer"):
            continue
        if key in accepted:
            config[key] = _setting(source, key, value)
        elif key not in _HARMLESS and value not in (None, False):
            raise NoCounterpartError(
                f"{_named(source)} has {key}={value!r}, which Keras 2 lacks"
            )
    config |= {
        "name": source.name,
        "trainable": source.trainable,
        "dtype": source.variable_dtype,
    }
    if type(source).__name__ == "Normalization":
        # As constants; adapted statistics would be weights with a count.
        for key in ("mean", "variance"):
            config[key] = np.asarray(getattr(source, key)).reshape(-1).tolist()
    if linear:
        config["activation"] = "linear"
    try:
        return made(**config)
    except (TypeError, ValueError) as error:
        raise NoCounterpartError(
            f"{_named(source)} cannot be made in Keras 2: {error}"
        ) from error


def _setting(source: Any, key: str, value: Any) -> Any:
    if key in ("activation", "recurrent_activation"):
        return _activation(source, value)
    if isinstance(value, Mapping) and value.get("module") == "keras.layers":
        # A wrapper's own layers; its configuration holds only their copies.
        name = "forward_layer" if hasattr(source, "forward_layer") else key
        inner = getattr(source, "backward_layer" if "back" in key else name)
        return counterpart(inner)
    if isinstance(value, Mapping) and "class_name" in value:
        return _regularizer(source, key, value)
    return value


def _activation(source: Any, value: Any) -> Any:
    if value is None:
        return None
    name = (
        rebuilt_operations.activation_name(value)
        if isinstance(value, str)
        else None
    )
    composable = isinstance(value, str) and rebuilt_operations.activation(
        value, source.name
    )
    if name is None and not composable:
        raise NoCounterpartError(
            f"{_named(source)} has the activation {value!r}, which Keras 2 "
            "lacks"
        )
    if name is None and hasattr(source, "recurrent_activation"):
        raise NoCounterpartError(
            f"{_named(source)} has the activation {value!r} inside its loop, "
            "which Keras 2 lacks"
        )
    return name or "linear"


def _regularizer(source: Any, key: str, value: Mapping[str, Any]) -> Any:
    import tf_keras as keras

    kind = keras.constraints if "constraint" in key else keras.regularizers
    found = getattr(kind, value["class_name"], None)
    if found is None:
        raise NoCounterpartError(
            f"{_named(source)} has {key}={value['class_name']}, which Keras 2 "
            "lacks"
        )
    return found(**value["config"])


def _layer_class(source: Any) -> Any:
    import tf_keras as keras

    kind = type(source)
    if kind.__module__.startswith("keras.src."):
        found = getattr(keras.layers, kind.__name__, None)
        if found is not None:
            return found
        # Layers that only keras.applications uses are not exported.
        module = kind.__module__.replace("keras.src.", "tf_keras.src.", 1)
        try:
            return getattr(importlib.import_module(module), kind.__name__)
        except (ImportError, AttributeError):
            pass
        raise NoCounterpartError(f"{_named(source)} exists in Keras 3 only")
    raise NoCounterpartError(f"{_named(source)} is a custom layer of Keras 3")


def _parameters(made: Any) -> set[str]:
    return {
        name
        for kind in made.__mro__
        if kind.__module__.startswith("tf_keras.")
        for name in inspect.signature(kind.__init__).parameters
    }


def _without_defaults(function: Callable[..., Any]) -> Callable[..., Any]:
    """Leaves out arguments that were not given in the first place."""

    def call(*args: Any, **kwargs: Any) -> Any:
        given = {k: x for k, x in kwargs.items() if x is not None}
        return function(*args, **given)

    return call


def _copy_weights(source: Any, layer: Any) -> None:
    if type(source).__name__ == "Normalization":
        return
    weights = source.get_weights()
    expected = [tuple(array.shape) for array in layer.get_weights()]
    if [array.shape for array in weights] != expected:
        raise NoCounterpartError(
            f"{_named(source)} has weights of the shapes "
            f"{[array.shape for array in weights]}, Keras 2 wants {expected}"
        )
    layer.set_weights(weights)


def _named(source: Any) -> str:
    return f"the layer {source.name!r} ({type(source).__name__})"
