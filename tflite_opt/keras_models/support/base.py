# SPDX-License-Identifier: Apache-2.0
"""The contract of a technique's knowledge about layers, and their registry."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from tflite_opt.records import preflight

_REGISTRY: dict[str, type["Support"]] = {}

NESTED_FIX = "Build one flat model out of the inner layers."


@dataclasses.dataclass(frozen=True)
class Findings:
    """What a technique does to a model.

    Attributes:
        verdicts: By path of the layer, for all layers.
        rejection: Why it refuses the model as a whole although it accepts
            each layer; "" if it does not.
    """

    verdicts: Mapping[str, preflight.Verdict]
    rejection: str = ""


class Support(abc.ABC):
    """Knows what one technique does to each layer; subclassing registers.

    Attributes:
        technique: Its name.
    """

    technique: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Registers concrete classes under their technique's name."""
        super().__init_subclass__(**kwargs)
        if "technique" in cls.__dict__:
            _REGISTRY[cls.technique] = cls

    @abc.abstractmethod
    def examine(self, model: Any, layers: Mapping[str, Any]) -> Findings:
        """Asks the technique what it would do.

        Args:
            model: A built functional or Sequential `tf_keras` model. Not
                modified.
            layers: All its layers by path, without input layers, those of
                nested models after their model.
        """


def all_supports() -> tuple[Support, ...]:
    """Returns the knowledge about all techniques, by name."""
    return tuple(cls() for _, cls in sorted(_REGISTRY.items()))


def is_nested(layer: Any) -> bool:
    """Whether a layer is a whole model."""
    import tf_keras as keras

    return isinstance(layer, keras.Model)


def has_graph(model: Any) -> bool:
    """Whether the layers of a model and their connections are known."""
    import tf_keras as keras

    # Keras has no public word for it; TF-MOT asks the same way.
    is_graph = model._is_graph_network or isinstance(model, keras.Sequential)
    return bool(is_graph and model.inputs)


def own_layers(model: Any) -> dict[str, Any]:
    """Returns the layers of a model by name, without input layers.

    Layers of nested models are not among them.
    """
    import tf_keras as keras

    return {
        layer.name: layer
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    }


def refusals() -> tuple[type[Exception], ...]:
    """Returns what Keras and TF-MOT raise for layers they cannot take."""
    import tensorflow as tf

    return (
        *(ValueError, TypeError, AttributeError, RuntimeError, KeyError),
        *(IndexError, NotImplementedError, AssertionError, tf.errors.OpError),
    )


def first_line(error: Exception) -> str:
    """Returns the first line of a message, ended as a sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".") + "."
