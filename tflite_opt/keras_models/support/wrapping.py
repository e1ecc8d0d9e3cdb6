# SPDX-License-Identifier: Apache-2.0
"""Wraps the layers of a model as TF-MOT does, and sees what happens.

TF-MOT stops at the first layer it refuses. Here such a layer is written down
and left as it is, so that one pass names them all.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from tflite_opt.keras_models.support import base
from tflite_opt.records import preflight


def examine(
    model: Any,
    layers: Mapping[str, Any],
    wrap: Callable[[Any], Any],
    weights_of: Callable[[Any], Any],
    fixes: Mapping[str, str],
    other_fix: str,
) -> base.Findings:
    """Returns what wrapping does to each layer.

    Args:
        model: The model; not modified.
        layers: All its layers by path.
        wrap: TF-MOT's function for a single layer. May return it as it is.
        weights_of: Returns the weights that a wrapper works on.
        fixes: What to do about a refused layer, by name of its class.
        other_fix: What to do about one of another class.

    Returns:
        Verdicts; `left_out` ones still without a reason.
    """
    found: dict[str, preflight.Verdict] = {}
    wrapped: dict[str, Any] = {}

    def try_to_wrap(path: str, layer: Any) -> Any:
        try:
            wrapped[path] = wrap(layer)
        except base.refusals() as error:
            name = type(layer).__name__
            message = base.first_line(error)
            if "supported layer" in message:
                message = f"TF-MOT does not know {name}."
            found[path] = preflight.Verdict(
                status="blocked",
                reason=message,
                fix=fixes.get(name, other_fix),
            )
            return layer
        return wrapped[path]

    rejection = ""
    with warnings.catch_warnings():
        # What TF-MOT warns of is in the verdicts.
        warnings.simplefilter("ignore")
        try:
            copy = _clone(model, lambda _, layer: _copy(layer))
            _clone(copy, try_to_wrap)
        except base.refusals() as error:
            rejection = base.first_line(error)
    for path, layer in layers.items():
        if base.is_nested(layer):
            found[path] = _nested(layer)
        elif path not in found:
            found[path] = preflight.Verdict(
                status=_status(layer, weights_of(wrapped.get(path)))
            )
    if any(verdict.status == "blocked" for verdict in found.values()):
        rejection = ""
    return base.Findings(found, rejection)


def _clone(
    model: Any, make: Callable[[str, Any], Any], prefix: str = ""
) -> Any:
    """Returns a model with other layers in the places of its own.

    Args:
        model: A functional or Sequential model, with nested ones.
        make: From the path of a layer and the layer to the other one.
        prefix: Of the paths.
    """
    import tf_keras as keras

    def replace(layer: Any) -> Any:
        path = prefix + layer.name
        if base.is_nested(layer):
            if not base.has_graph(layer):
                return layer
            return _clone(layer, make, f"{path}/")
        return make(path, layer)

    return keras.models.clone_model(model, clone_function=replace)


def _copy(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _nested(model: Any) -> preflight.Verdict:
    if base.has_graph(model):
        return preflight.Verdict(status="neutral")
    return preflight.Verdict(
        status="blocked",
        reason="TF-MOT does not take a subclassed model.",
        fix=base.NESTED_FIX,
    )


def _status(layer: Any, chosen: Any) -> preflight.Status:
    if chosen:
        return "applies"
    return "left_out" if base.has_kernels(layer) else "neutral"
