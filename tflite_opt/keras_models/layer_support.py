# SPDX-License-Identifier: Apache-2.0
"""Says layer by layer what training-time techniques do to a Keras model.

What a technique accepts is the business of its file in `support/`.
"""

from collections.abc import Iterator
from typing import Any

from tflite_opt.keras_models import support as _all_files  # noqa: F401
from tflite_opt.keras_models.support import base
from tflite_opt.records import preflight


def examine(model: Any) -> preflight.KerasSupport:
    """Returns what each technique would do to each layer.

    Args:
        model: A `tf_keras` model; not modified.

    Returns:
        With `unknown_because` for a subclassed model or one that was never
        built, whose layers are not known.
    """
    if not base.has_graph(model):
        return preflight.KerasSupport(
            unknown_because=(
                f"{model.name} is a subclassed model or was never built, so "
                "the connections of its layers are not known. Build it with "
                "the functional API."
            )
        )
    layers = dict(walk(model))
    supports = base.all_supports()
    findings = {s.technique: s.examine(model, layers) for s in supports}
    return preflight.KerasSupport(
        techniques=tuple(findings),
        layers=tuple(
            preflight.KerasLayer(
                path=path,
                class_name=type(layer).__name__,
                output_shape=_output_shape(layer),
                parameters=0 if _is_listed(layer) else layer.count_params(),
                verdicts={
                    name: found.verdicts[path]
                    for name, found in findings.items()
                },
            )
            for path, layer in layers.items()
        ),
        rejections={
            name: found.rejection
            for name, found in findings.items()
            if found.rejection
        },
    )


def walk(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the layers of a model with their paths.

    Args:
        model: A functional or Sequential model.
        prefix: Of the paths.

    Yields:
        `outer/inner` and the layer, without input layers; a nested model
        before its layers.
    """
    for name, layer in base.own_layers(model).items():
        yield prefix + name, layer
        if _is_listed(layer):
            yield from walk(layer, f"{prefix}{name}/")


def _is_listed(layer: Any) -> bool:
    """Whether the layers inside a layer are listed too."""
    return base.is_nested(layer) and base.has_graph(layer)


def _output_shape(layer: Any) -> tuple[int, ...]:
    import tensorflow as tf

    shape = tf.nest.flatten(layer.get_output_at(0))[0].shape
    if shape.rank is None:
        return ()
    return tuple(-1 if size is None else size for size in shape)
