# SPDX-License-Identifier: Apache-2.0
"""What a file of a quantization-aware model refers to by name.

The classes are made on first use, since their bases are TF-MOT's.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from tflite_opt.keras_models.rewriting import layers as own_layers

# The largest code of 8 bits is one short of the full range; TFLite fixes the
# scale of these results to 1/256 and 1/128.
_FIXED_RANGES = {"unit": (0.0, 255 / 256), "symmetric_unit": (-1.0, 127 / 128)}


@functools.cache
def custom_objects() -> Mapping[str, Any]:
    """Returns classes by the names that files have for them, TF-MOT's too."""
    import tensorflow_model_optimization as tfmot

    scope = tfmot.quantization.keras.quantize_scope()
    return {
        **{
            k: x for objects in scope.custom_objects for k, x in objects.items()
        },
        **own_layers.classes(),
        "FakeQuantized": wrapper_class(),
        "KernelQuantizer": kernel_quantizer_class(),
        "LayerQuantizeConfig": quantize_config_class(),
    }


@functools.cache
def kernel_quantizer_class() -> Any:
    """Returns TF-MOT's `Quantizer` for weights, as the converter rounds them.

    Its rounding is plain arithmetic, no fake-quantization operation: the
    converter then finds constants that lie on its own grid, whatever layout
    it turns them into. Those operations it refuses for depthwise kernels and
    for `Dense` by channel.
    """
    import tensorflow as tf
    from tensorflow_model_optimization.python.core.quantization.keras import (
        quantizers,
    )

    class KernelQuantizer(quantizers.Quantizer):
        """Symmetric 8-bit rounding with one scale for each output channel.

        Args:
            channel_axes: Of the kernel, which tell output channels apart.
        """

        def __init__(self, channel_axes: Sequence[int]) -> None:
            self.channel_axes = tuple(channel_axes)

        def build(self, tensor_shape: Any, name: str, layer: Any) -> Any:
            """Makes no variables: the range is that of the weights."""
            return {}

        def __call__(
            self, inputs: Any, training: Any, weights: Any, **kwargs: Any
        ) -> Any:
            """Rounds; the gradient is that of the identity."""
            rank = len(inputs.shape)
            channel_axes = {axis % rank for axis in self.channel_axes}
            axes = [axis for axis in range(rank) if axis not in channel_axes]
            largest = tf.reduce_max(tf.abs(inputs), axes, keepdims=True)
            scale = tf.where(largest > 0, largest / 127, 1.0)
            rounded = tf.round(inputs / scale) * scale
            return inputs + tf.stop_gradient(rounded - inputs)

        def get_config(self) -> dict[str, Any]:
            """Returns the arguments."""
            return {"channel_axes": list(self.channel_axes)}

    return KernelQuantizer


@functools.cache
def quantize_config_class() -> Any:
    """Returns the one `QuantizeConfig` of this project."""
    from tensorflow_model_optimization.python.core.quantization.keras import (
        quantize_config,
    )

    class LayerQuantizeConfig(quantize_config.QuantizeConfig):
        """Says what a wrapper rounds of one layer.

        Args:
            weights: Attribute of each weight and its channel axes.
            output: None for an output that is not rounded; `moving` for a
                range that follows the training data; `unit` and
                `symmetric_unit` for the ranges that TFLite fixes for sigmoid
                and softmax, and for tanh.
        """

        def __init__(
            self, weights: Mapping[str, Sequence[int]], output: str | None
        ) -> None:
            self.weights = dict(weights)
            self.output = output

        def get_weights_and_quantizers(self, layer: Any) -> Any:
            """Returns each weight with what rounds it."""
            quantizer = kernel_quantizer_class()
            return [
                (getattr(layer, name), quantizer(axes))
                for name, axes in self.weights.items()
            ]

        def get_activations_and_quantizers(self, layer: Any) -> Any:
            """Returns nothing: outputs are rounded behind the activation."""
            return []

        def set_quantize_weights(
            self, layer: Any, quantize_weights: Any
        ) -> None:
            """Gives the layer rounded weights."""
            for name, weight in zip(
                self.weights, quantize_weights, strict=True
            ):
                setattr(layer, name, weight)

        def set_quantize_activations(
            self, layer: Any, quantize_activations: Any
        ) -> None:
            """Does nothing: there are none."""
            # Autograph cannot take a function without a statement.
            del layer, quantize_activations

        def get_output_quantizers(self, layer: Any) -> Any:
            """Returns what rounds the output."""
            return [] if self.output is None else [range_quantizer(self.output)]

        def get_config(self) -> dict[str, Any]:
            """Returns the arguments."""
            return {"weights": self.weights, "output": self.output}

    return LayerQuantizeConfig


@functools.cache
def wrapper_class() -> Any:
    """Returns TF-MOT's wrapper, which gives the layer its weights back."""
    from tensorflow_model_optimization.python.core.quantization.keras import (
        quantize_wrapper,
    )

    class FakeQuantized(quantize_wrapper.QuantizeWrapperV2):
        """Runs a layer with rounded weights and rounds its output.

        TF-MOT's leaves the rounded tensors of the last call in the place of
        the layer's variables, where nobody can read them, and trains frozen
        layers.
        """

        @property
        def trainable_weights(self) -> list[Any]:
            """None of a frozen layer."""
            return super().trainable_weights if self.layer.trainable else []

        @property
        def non_trainable_weights(self) -> list[Any]:
            """Those of a frozen layer, too, each once."""
            frozen = [] if self.layer.trainable else self._trainable_weights
            own: list[Any] = self._dedup_weights(
                [*frozen, *super().non_trainable_weights]
            )
            return own

        def call(self, inputs: Any, training: Any = None, **kwargs: Any) -> Any:
            """Calls the layer."""
            names = self.quantize_config.weights
            variables = [weight for weight, _, _ in self._weight_vars]
            outputs = super().call(inputs, training=training, **kwargs)
            for name, variable in zip(names, variables, strict=True):
                setattr(self.layer, name, variable)
            return outputs

    return FakeQuantized


def range_quantizer(output: str) -> Any:
    """Returns TF-MOT's quantizer of a kind of output."""
    from tensorflow_model_optimization.python.core.quantization.keras import (
        quantizers,
    )

    if output in _FIXED_RANGES:
        low, high = _FIXED_RANGES[output]
        return quantizers.FixedQuantizer(
            num_bits=8, init_min=low, init_max=high, narrow_range=False
        )
    return quantizers.MovingAverageQuantizer(
        num_bits=8, per_axis=False, symmetric=False, narrow_range=False
    )
