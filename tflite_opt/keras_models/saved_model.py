# SPDX-License-Identifier: Apache-2.0
"""Makes one signature of a SavedModel traceable, whoever wrote it."""

import pathlib
from collections.abc import Sequence
from typing import Any

from tflite_opt.keras_models import traceable
from tflite_opt.records import errors

_DEFAULT_SIGNATURE = "serving_default"


def load(path: pathlib.Path, signature: str | None) -> traceable.Traceable:
    """Makes one signature of a SavedModel traceable.

    Args:
        path: The directory.
        signature: Its key; None for the only one, or `serving_default`.

    Raises:
        ModelError: If it cannot be loaded, has no such signature, or takes
            what is no dense tensor of numbers.
    """
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(path))
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        raise errors.ModelError(
            f"Cannot load the SavedModel {str(path)!r}: "
            f"{getattr(error, 'message', error)}"
        ) from error
    chosen = choose_signature(list(loaded.signatures), signature, str(path))
    function = loaded.signatures[chosen]
    _, arguments = function.structured_input_signature
    names = list(arguments)

    def call(inputs: Sequence[Any]) -> list[Any]:
        outputs = function(**dict(zip(names, inputs, strict=True)))
        return [outputs[name] for name in function.structured_outputs]

    return traceable.Traceable(
        name=path.name,
        inputs=tuple(
            traceable.input_spec(name, spec.shape, spec.dtype.name)
            for name, spec in arguments.items()
        ),
        output_names=tuple(function.structured_outputs),
        call=call,
        # The functions that were loaded hold the variables only weakly.
        variables=[*function.variables, loaded],
        keeps_loops=_has_recurrent_functions(function),
        max_batch_size=traceable.batch_limit(
            s.shape for s in arguments.values()
        ),
    )


def choose_signature(
    keys: Sequence[str], signature: str | None, where: str
) -> str:
    """Returns the signature to take.

    Args:
        keys: What there is.
        signature: What was asked for, if anything.
        where: Names the model in messages.

    Raises:
        ModelError: If it is not there, or there are several to choose from.
    """
    chosen = signature
    if chosen is None:
        only = keys[0] if len(keys) == 1 else None
        chosen = _DEFAULT_SIGNATURE if _DEFAULT_SIGNATURE in keys else only
    if chosen is None or chosen not in keys:
        wanted = repr(signature) if signature else "none"
        raise errors.ModelError(
            "`signature` must be one of the model's, which are "
            f"{', '.join(keys) or 'none'}. Received: signature={wanted} for "
            f"{where!r}."
        )
    return chosen


def _has_recurrent_functions(function: Any) -> bool:
    """Whether Keras marked a body as that of a recurrent layer."""
    return any(
        b"lstm" in definition.attr["api_implements"].s
        or b"gru" in definition.attr["api_implements"].s
        for definition in function.graph.as_graph_def().library.function
    )
