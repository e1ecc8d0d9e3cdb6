# SPDX-License-Identifier: Apache-2.0
"""What quantization-aware training does to each layer.

The model's copy is rewritten and planned just as before a training.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from tflite_opt.keras_models.quantization import plan
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.keras_models.rewriting import rewrite
from tflite_opt.keras_models.support import base
from tflite_opt.records import preflight

_AFTER_TRAINING = "Quantize after training instead: int8 or dynamic_range."
_SPLIT = "_activation"


class QuantizationAwareTrainingSupport(base.Support):
    """Rewrites a copy of the model and asks the plan about each call."""

    technique: ClassVar[str] = "quantization_aware_training"

    def examine(self, model: Any, layers: Mapping[str, Any]) -> base.Findings:
        """Returns a verdict for each layer, those of nested models too."""
        import tf_keras as keras

        unknown = [
            path
            for path, layer in layers.items()
            if base.is_nested(layer) and not base.has_graph(layer)
        ]
        if unknown:
            return base.Findings(
                {path: _verdict_beside(path, unknown) for path in layers}
            )
        try:
            graph = rewrite.for_quantization(keras.models.clone_model(model))
        except base.refusals() as error:
            neutral = preflight.Verdict(status="neutral")
            return base.Findings(
                dict.fromkeys(layers, neutral), base.first_line(error)
            )
        outputs = plan.outputs(graph)
        verdicts = {
            path: preflight.Verdict(status="neutral", reason=_absence(layer))
            for path, layer in layers.items()
        }
        for call in graph.calls:
            path = call.layer.name
            verdict = _verdict(call, outputs[call])
            if path not in verdicts and verdict.status == "blocked":
                path = path.removesuffix(_SPLIT)
            if path in verdicts:
                verdicts[path] = verdict
        return base.Findings(verdicts)


def _verdict(
    call: graph_lib.Call, output: plan.Output | None
) -> preflight.Verdict:
    reason = plan.refusal(call)
    if reason:
        return preflight.Verdict(
            status="blocked", reason=reason, fix=_AFTER_TRAINING
        )
    if plan.weights(call):
        return preflight.Verdict(status="applies")
    if output is None:
        return preflight.Verdict(status="neutral")
    has_weights = bool(call.get_weights())
    return preflight.Verdict(
        status="applies",
        reason="Its weights are quantized after training, its output in it."
        if has_weights
        else "",
    )


def _absence(layer: Any) -> str:
    """Returns why a layer is no call of the rewritten model."""
    if base.is_nested(layer):
        return "Its layers become part of the model around it."
    return "It becomes part of other layers." if layer.weights else ""


def _verdict_beside(path: str, unknown: list[str]) -> preflight.Verdict:
    if path not in unknown:
        return preflight.Verdict(status="neutral")
    return preflight.Verdict(
        status="blocked",
        reason="The connections of its layers are not known.",
        fix=base.NESTED_FIX,
    )
