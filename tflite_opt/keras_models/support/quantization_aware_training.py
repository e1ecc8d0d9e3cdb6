# SPDX-License-Identifier: Apache-2.0
"""What quantization-aware training accepts: `quantize_model` of TF-MOT.

TF-MOT stops at the first layer it does not know. Here its real passes run
with a registry that writes such a layer down, lets it through and goes on, so
that one run names them all.
"""

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from tflite_opt.keras_models.support import base
from tflite_opt.records import preflight

_AFTER_TRAINING = "Quantize after training instead: int8 or dynamic_range."
_TWO_DIMENSIONS = "Use the 2-D layer with a height of 1."
_FIXES = {
    "Rescaling": base.PREPROCESSING_FIX,
    "Normalization": base.PREPROCESSING_FIX,
    "TFOpLambda": base.OPERATOR_FIX,
    "SlicingOpLambda": "Crop with a Cropping layer.",
    "PReLU": "Use LeakyReLU or ReLU.",
    "ELU": "Use LeakyReLU or ReLU.",
    "Conv1D": _TWO_DIMENSIONS,
    "SeparableConv1D": _TWO_DIMENSIONS,
    "MaxPooling1D": _TWO_DIMENSIONS,
    "UpSampling1D": _TWO_DIMENSIONS,
    "Average": "Use Add, and scale in the next layer.",
    "Subtract": "Negate in the layer before, and use Add.",
    "LSTM": _AFTER_TRAINING,
    "GRU": _AFTER_TRAINING,
    "SimpleRNN": _AFTER_TRAINING,
    "Bidirectional": _AFTER_TRAINING,
    "TimeDistributed": _AFTER_TRAINING,
    "Embedding": _AFTER_TRAINING,
    "MultiHeadAttention": _AFTER_TRAINING,
    "LayerNormalization": _AFTER_TRAINING,
}
_OTHER_FIX = "Annotate it with a QuantizeConfig, or quantize after training."
_WITH_ACTIVATION = ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "Dense")
_ACTIVATION_FIX = "Use relu, swish, gelu, sigmoid, tanh or softmax."
_BATCH_NORMALIZATION_FIX = (
    "Put it right behind a convolution without activation, or quantize after "
    "training, which folds it."
)


class QuantizationAwareTrainingSupport(base.Support):
    """Runs `quantize_apply` with a registry that refuses nothing."""

    technique: ClassVar[str] = "quantization_aware_training"

    def examine(self, model: Any, layers: Mapping[str, Any]) -> base.Findings:
        """Asks TF-MOT about the model, and about each nested one by itself."""
        graphs = {"": model} | {
            f"{path}/": layer
            for path, layer in layers.items()
            if base.is_nested(layer)
        }
        verdicts: dict[str, preflight.Verdict] = {}
        rejection = ""
        for prefix, graph in graphs.items():
            if base.has_graph(graph):
                found = _examine_graph(graph)
                rejection = rejection or found.rejection
                verdicts |= {
                    prefix + name: verdict
                    for name, verdict in found.verdicts.items()
                }
        return base.Findings(verdicts, rejection)


class _Registry:
    """TF-MOT's registry; notes what it refuses, and lets it through.

    Attributes:
        refused: Names of layers.
    """

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self.refused: set[str] = set()

    def supports(self, layer: Any) -> bool:
        """Says yes, so that TF-MOT goes on."""
        return True

    def get_quantize_config(self, layer: Any) -> Any:
        """Returns the layer's configuration, or one that does nothing."""
        from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (  # noqa: E501
            default_8bit_quantize_configs,
        )

        if self.really_supports(layer):
            return self._registry.get_quantize_config(layer)
        self.refused.add(layer.name)
        return default_8bit_quantize_configs.NoOpQuantizeConfig()

    def really_supports(self, layer: Any) -> bool:
        """Whether TF-MOT takes a layer with its activation."""
        if not self._registry.supports(layer):
            return False
        config = self._registry.get_quantize_config(layer)
        try:
            config.get_output_quantizers(layer)
            for activation, _ in config.get_activations_and_quantizers(layer):
                _require_known(activation)
        except ValueError:
            return False
        return True


class _NoQuantizer:
    """Stands in for a quantizer where only an activation is looked at."""

    def build(self, *arguments: Any) -> dict[str, Any]:
        """Makes no variables."""
        return {}


def _require_known(activation: Any) -> None:
    """Raises TF-MOT's ValueError for an activation it does not know."""
    from tensorflow_model_optimization.python.core.quantization.keras import (
        quantize_aware_activation,
    )

    quantize_aware_activation.QuantizeAwareActivation(
        activation, _NoQuantizer(), None, None
    )


def _examine_graph(model: Any) -> base.Findings:
    """Runs TF-MOT's passes on one model; nested ones are not looked into."""
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (  # noqa: E501
        default_8bit_quantize_scheme,
    )

    layers = base.own_layers(model)
    scheme = default_8bit_quantize_scheme.Default8BitQuantizeScheme()
    registry = _Registry(scheme.get_quantize_registry())
    scheme.get_quantize_registry = lambda: registry
    unannotated = {
        name: verdict
        for name, layer in layers.items()
        if (verdict := _unannotated(layer)) is not None
    }
    rejection = ""
    try:
        wrappers = _quantize(model, scheme, unannotated)
    except base.refusals() as error:
        rejection = base.first_line(error)
        registry.refused |= {
            name
            for name, layer in layers.items()
            if not registry.really_supports(layer)
        }
        verdicts = {
            name: preflight.Verdict(status="applies") for name in layers
        }
    else:
        verdicts = {
            name: _verdict(layer, wrappers.get(name))
            for name, layer in layers.items()
        }
    # TF-MOT takes the output of a layer that it was not asked to quantize.
    refused = registry.refused - set(unannotated)
    for name in refused & set(layers):
        verdicts[name] = _refused(layers[name])
    verdicts |= unannotated
    if any(verdict.status == "blocked" for verdict in verdicts.values()):
        rejection = ""
    elif refused:
        rejection = f"TF-MOT refuses {', '.join(sorted(refused))}."
    return base.Findings(verdicts, rejection)


def _quantize(
    model: Any, scheme: Any, unannotated: Mapping[str, preflight.Verdict]
) -> dict[str, Any]:
    """Returns TF-MOT's wrappers by the name of the layer inside.

    Args:
        model: Not modified.
        scheme: The quantization scheme.
        unannotated: Names of the layers to leave out.
    """
    import tf_keras as keras
    from tensorflow_model_optimization.quantization import (
        keras as quantization,
    )

    def annotate(layer: Any) -> Any:
        if layer.name in unannotated:
            return layer
        return quantization.quantize_annotate_layer(layer)

    custom = {
        type(layer).__name__: type(layer)
        for layer in model.layers
        if not type(layer).__module__.startswith("tf_keras.")
    }
    with keras.utils.custom_object_scope(custom), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        annotated = keras.models.clone_model(model, clone_function=annotate)
        quantized = quantization.quantize_apply(annotated, scheme)
    return {
        wrapper.layer.name: wrapper
        for wrapper in quantized.layers
        if hasattr(wrapper, "quantize_config")
    }


def _verdict(original: Any, wrapper: Any) -> preflight.Verdict:
    if wrapper is None:
        return preflight.Verdict(
            status="applies",
            reason="TF-MOT replaces it by layers it can quantize.",
        )
    config, layer = wrapper.quantize_config, wrapper.layer
    weights = config.get_weights_and_quantizers(layer)
    if base.has_kernels(original) and not weights:
        return preflight.Verdict(
            status="left_out",
            reason="TF-MOT leaves its weights in float before a ReLU layer.",
            fix="Give it activation='relu' instead of that layer.",
        )
    quantizes = (
        weights
        or config.get_activations_and_quantizers(layer)
        or config.get_output_quantizers(layer)
    )
    return preflight.Verdict(status="applies" if quantizes else "neutral")


def _unannotated(layer: Any) -> preflight.Verdict | None:
    """Returns the verdict of what TF-MOT's passes must not see."""
    import tf_keras as keras

    name = type(layer).__name__
    if base.is_nested(layer):
        return preflight.Verdict(
            status="blocked",
            reason="TF-MOT does not quantize a model inside a model.",
            fix=base.NESTED_FIX,
        )
    if isinstance(layer, keras.layers.Lambda):
        return preflight.Verdict(
            status="left_out",
            reason="TF-MOT leaves Lambda layers in float.",
            fix="Write it as a layer, with a QuantizeConfig.",
        )
    if name in ("TFOpLambda", "SlicingOpLambda"):
        return _refused(layer)
    return None


def _refused(layer: Any) -> preflight.Verdict:
    import tf_keras as keras

    name = type(layer).__name__
    reason = f"TF-MOT does not know {name}."
    fix = _FIXES.get(name, _OTHER_FIX)
    if isinstance(layer, keras.layers.BatchNormalization):
        reason = _misplaced(layer)
        fix = _BATCH_NORMALIZATION_FIX
    elif name in ("Activation", *_WITH_ACTIVATION):
        reason = f"TF-MOT does not know {name} with {_activation(layer)}."
        fix = _ACTIVATION_FIX
    return preflight.Verdict(status="blocked", reason=reason, fix=fix)


def _activation(layer: Any) -> str:
    activation = layer.activation
    return getattr(activation, "__name__", type(activation).__name__)


def _misplaced(layer: Any) -> str:
    """Returns why TF-MOT does not fold a batch normalization."""
    import tensorflow as tf

    before = tf.nest.flatten(layer.inbound_nodes[0].inbound_layers)[0]
    name = type(before).__name__
    if name not in ("Conv2D", "DepthwiseConv2D", "Dense"):
        return f"TF-MOT takes no batch normalization behind {name}."
    if _activation(before) != "linear":
        return f"Its {name} has the activation {_activation(before)} already."
    if len(before.outbound_nodes) > 1:
        return f"Other layers read its {name} too, so it cannot be folded."
    return f"TF-MOT does not fold it into {before.name}."
