# SPDX-License-Identifier: Apache-2.0
"""Turns a model into what converters start from, and runs it.

A frozen model has a batch of 1, its own names of inputs and outputs, and its
variables as constants. Freezing once takes a second and makes each conversion
several times faster than starting from the Keras model.
"""

import math
import pathlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import dataset, representative
from tflite_opt.keras_models import recurrent, traceable
from tflite_opt.records import errors, examples, facts

_MAX_BATCH_SIZE = 256
# The activations of a convolutional network are dozens of times its input.
_MAX_BATCH_BYTES = 1 << 22

SIGNATURE_KEY = "serving_default"

# What TensorFlow takes as the name of an argument.
_INPUT_NAME = re.compile(r"(?!self$)[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*", re.ASCII)


def input_specs(model: Any) -> tuple[facts.TensorSpec, ...]:
    """Returns the inputs that the frozen model will have.

    Args:
        model: A `Traceable` or a built `tf_keras` model.

    Returns:
        In the model's order, with a batch of 1.

    Raises:
        ModelError: If the model is not built, its names make no signature, an
            input is no dense tensor, or a dimension other than the batch is
            unknown.
    """
    found = traceable.of(model)
    _check_names([spec.name for spec in found.inputs], found.output_names)
    for spec in found.inputs:
        if -1 in spec.shape:
            example = ",".join(str(n if n > 0 else 128) for n in spec.shape)
            raise errors.ModelError(
                "Only the batch may be an unknown dimension. Received: input "
                f"{spec.name!r} with shape {spec.shape}. Say the size, as in "
                f"--input_shape={spec.name}:{example}."
            )
    return found.inputs


def freeze(model: Any, directory: pathlib.Path) -> None:
    """Writes a frozen model as a SavedModel.

    Its only signature, `serving_default`, has the model's own names of inputs
    and outputs.

    Args:
        model: A `Traceable` or a built `tf_keras` model; not modified.
        directory: Of the SavedModel; what is inside is overwritten.

    Raises:
        ModelError: If the model cannot be frozen: see `input_specs`.
        OutputError: If the directory cannot be written.
    """
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants

    specs = input_specs(model)
    model = traceable.of(model)
    module = tf.Module()
    frozen = _trace(model, specs)
    if model.keeps_loops:
        module.kept_variables = list(model.variables)
    else:
        frozen = convert_to_constants.convert_variables_to_constants_v2(
            frozen, lower_control_flow=False
        )
    module.serve = tf.function(
        lambda *inputs: dict(
            zip(model.output_names, frozen(*inputs), strict=True)
        ),
        input_signature=[
            tf.TensorSpec(spec.shape, spec.dtype, name=spec.name)
            for spec in specs
        ],
        autograph=False,
    )
    try:
        tf.saved_model.save(
            module,
            str(directory),
            signatures={SIGNATURE_KEY: module.serve.get_concrete_function()},
            # No gradient is taken from here on, and those of swish refer to
            # tensors that are gone.
            options=tf.saved_model.SaveOptions(
                experimental_custom_gradients=False
            ),
        )
    except (OSError, tf.errors.OpError) as error:
        raise errors.OutputError(
            f"Cannot write the frozen model to {str(directory)!r}: "
            f"{getattr(error, 'message', error)}"
        ) from error


def _trace(
    model: traceable.Traceable, specs: Sequence[facts.TensorSpec]
) -> Any:
    """Returns a concrete function that takes its inputs in the order of specs.

    They have no names in it; those come back with the signature.
    """
    import tensorflow as tf

    with recurrent.unrolled(model.loops):
        return tf.function(
            lambda *inputs: model.call(inputs), autograph=False
        ).get_concrete_function(
            *(
                tf.TensorSpec(spec.shape, spec.dtype, name=f"input_{index}")
                for index, spec in enumerate(specs)
            )
        )


def first_examples(
    model: Any, split: dataset.Split, count: int
) -> dict[str, np.ndarray]:
    """Returns the first examples of a split, at most so many.

    Args:
        model: As for `input_specs`.
        split: The examples.
        count: How many.

    Returns:
        By input name, in the model's order, shape `(n, ...)`.

    Raises:
        DataError: If they do not fit the model.
    """
    few = np.arange(min(count, len(split)))
    return representative.representative_samples(
        split.take(few, split.name), input_specs(model)
    )


def predict(
    model: Any,
    inputs: Mapping[str, examples.Examples],
    batch_size: int | None = None,
) -> dict[str, np.ndarray]:
    """Returns the model's outputs in inference mode.

    Args:
        model: A `Traceable` or a built `tf_keras` model; not modified.
        inputs: By its input names, shape `(n, ...)`; lazy ones are loaded
            batch by batch.
        batch_size: Examples at a time; the outputs do not depend on it beyond
            rounding. None for as many as are small beside the model's
            activations.

    Returns:
        By the model's output names, arrays of shape `(n, ...)`.
    """
    return predictor(model)(inputs, batch_size)


def predictor(model: Any) -> Callable[..., dict[str, np.ndarray]]:
    """Returns what `predict` does for one model, which is traced only once.

    Args:
        model: As for `predict`.

    Returns:
        A function of inputs and, optionally, a batch size.
    """
    import tensorflow as tf

    model = traceable.of(model)

    @tf.function(autograph=False, reduce_retracing=True)
    def call(*batch: Any) -> list[Any]:
        return model.call(batch)

    def run(
        inputs: Mapping[str, examples.Examples], batch_size: int | None = None
    ) -> dict[str, np.ndarray]:
        arrays = [inputs[spec.name] for spec in model.inputs]
        size = model.max_batch_size or batch_size or _fitting_batch(arrays)
        batches = [
            call(*(tf.constant(x[start : start + size]) for x in arrays))
            for start in range(0, len(arrays[0]), size)
        ]
        return {
            name: np.concatenate([batch[index].numpy() for batch in batches])
            for index, name in enumerate(model.output_names)
        }

    return run


def _fitting_batch(arrays: Sequence[examples.Examples]) -> int:
    one = sum(math.prod(x.shape[1:]) * x.dtype.itemsize for x in arrays)
    return max(1, min(_MAX_BATCH_SIZE, _MAX_BATCH_BYTES // max(one, 1)))


def _check_names(
    input_names: Sequence[str], output_names: Sequence[str]
) -> None:
    for kind, names in (("Input", input_names), ("Output", output_names)):
        repeated = sorted({n for n in names if list(names).count(n) > 1})
        if repeated:
            raise errors.ModelError(
                f"{kind} names must be unique in a signature. "
                f"Received: {', '.join(map(repr, repeated))} more than once. "
                "Give the layers names of their own."
            )
    refused = [n for n in input_names if not _INPUT_NAME.fullmatch(n)]
    if refused:
        raise errors.ModelError(
            "Input names must be ASCII letters, digits and _ . - / only, not "
            "begin with _, and not be `self`. "
            f"Received: {', '.join(map(repr, refused))}. Build the model with "
            "another name for its `Input`."
        )
