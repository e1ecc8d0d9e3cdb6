# SPDX-License-Identifier: Apache-2.0
"""A model as TensorFlow can trace it: a function whose ends have names.

Models of Keras 2 and 3 and SavedModels look alike from here on. Sizes that a
model leaves open stay open until `with_sizes` fills them in.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tflite_opt.keras_models import recurrent
from tflite_opt.records import errors, facts


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Traceable:
    """Something that can be called in inference mode.

    Attributes:
        name: What messages call it.
        inputs: In the order in which `call` takes them, with a batch of 1;
            -1 marks a size that is open.
        output_names: In the order in which `call` returns them.
        call: From tensors to tensors.
        variables: What must be kept alive, or made constant.
        keeps_loops: Whether it has LSTMs and its variables must stay
            variables: the converter no longer recognizes an LSTM whose body
            was inlined, and writes a loop of a dozen operations instead of
            one.
        max_batch_size: Examples that `call` takes at once; None for any.
        loops: Recurrent layers of `tf_keras` that the converter has no
            operation for.
    """

    name: str
    inputs: tuple[facts.TensorSpec, ...]
    output_names: tuple[str, ...]
    call: Callable[[Sequence[Any]], list[Any]]
    variables: Sequence[Any]
    keeps_loops: bool = False
    max_batch_size: int | None = None
    loops: Sequence[Any] = ()

    def with_sizes(
        self, input_shapes: Mapping[str, Sequence[int]]
    ) -> "Traceable":
        """Returns the same model with the open sizes filled in.

        Args:
            input_shapes: By input name, a batch of 1 first; inputs may be
                missing.

        Raises:
            ModelError: If an input is unknown, or a shape is not one that the
                model takes.
        """
        unknown = sorted(set(input_shapes) - {s.name for s in self.inputs})
        if unknown:
            raise errors.ModelError(
                "`input_shape` must name inputs of the model. Received: "
                f"{', '.join(unknown)}. The model has "
                f"{', '.join(spec.name for spec in self.inputs)}."
            )
        return dataclasses.replace(
            self,
            inputs=tuple(
                _with_size(spec, tuple(input_shapes.get(spec.name, spec.shape)))
                for spec in self.inputs
            ),
        )


def of(model: Any) -> Traceable:
    """Returns a traceable model itself, and makes a `tf_keras` one so."""
    return model if isinstance(model, Traceable) else from_keras(model)


def from_keras(model: Any) -> Traceable:
    """Makes a `tf_keras` model traceable.

    Raises:
        ModelError: If the model is not built, or an input is no dense tensor.
    """
    import tensorflow as tf

    if not getattr(model, "inputs", None):
        return _from_subclass(model)
    fused, loops = recurrent.fused_and_loops(model)
    specs = []
    for name, tensor in zip(model.input_names, model.inputs, strict=True):
        if type(tensor).__name__ != "KerasTensor":
            raise errors.ModelError(
                f"The input {name!r} must be a dense tensor. "
                f"Received: {type(tensor).__name__}"
            )
        specs.append(input_spec(name, tensor.shape, tensor.dtype.name))

    def call(inputs: Sequence[Any]) -> list[Any]:
        arguments = list(inputs) if len(inputs) > 1 else inputs[0]
        return tf.nest.flatten(model(arguments, training=False))

    return Traceable(
        name=model.name,
        inputs=tuple(specs),
        output_names=tuple(model.output_names),
        call=call,
        variables=model.variables,
        keeps_loops=bool(fused),
        max_batch_size=batch_limit(tensor.shape for tensor in model.inputs),
        loops=loops,
    )


def from_keras3(model: Any) -> Traceable:
    """Makes a built Keras 3 model traceable.

    Raises:
        ModelError: If the model is not built.
    """
    import keras as keras3

    graph = model
    if isinstance(model, keras3.Sequential):
        graph = model._functional
    if graph is None or not getattr(graph, "inputs", None):
        return _from_subclass(model)

    def call(inputs: Sequence[Any]) -> list[Any]:
        packed = keras3.tree.pack_sequence_as(graph._inputs_struct, inputs)
        return keras3.tree.flatten(model(packed, training=False))

    return Traceable(
        name=model.name,
        inputs=tuple(
            input_spec(
                tensor._keras_history.operation.name, tensor.shape, tensor.dtype
            )
            for tensor in graph.inputs
        ),
        output_names=tuple(graph.output_names),
        call=call,
        variables=_variables(model),
        max_batch_size=batch_limit(tensor.shape for tensor in graph.inputs),
    )


def _from_subclass(model: Any) -> Traceable:
    """Takes a model without a graph by what it was last called with."""
    import tensorflow as tf

    remembered = getattr(model, "save_spec", lambda: None)()
    shapes = getattr(model, "_build_shapes_dict", None) or {}
    if remembered is not None:
        (first, *others), _ = remembered
        tensors = tf.nest.flatten(first)
        known = not others and [(t.shape, t.dtype.name) for t in tensors]
    else:
        known = [(shape, "float32") for shape in shapes.values()]
    if not known or len(known) > 1:
        raise errors.ModelError(
            f"The model must have known inputs. Received: {model.name!r}, "
            "which was never built"
            + (" or takes several inputs in `call`" if known else "")
            + ". Call it once on data before saving it, or make it a "
            "functional model: `Model(inputs, model(inputs))`."
        )
    name = "inputs"
    ((shape, dtype),) = known
    probe = tf.zeros([1 if n is None else n for n in shape], dtype)
    outputs = tf.nest.flatten(model(probe, training=False))

    def call(inputs: Sequence[Any]) -> list[Any]:
        return tf.nest.flatten(model(inputs[0], training=False))

    return Traceable(
        name=model.name,
        inputs=(input_spec(name, shape, dtype),),
        output_names=tuple(f"output_{i}" for i in range(len(outputs))),
        call=call,
        variables=_variables(model),
    )


def _variables(model: Any) -> list[Any]:
    """Returns TensorFlow's variables; those of Keras 3 hold one each."""
    return [
        v.value if type(v).__module__.startswith("keras.") else v
        for v in model.variables
    ]


def batch_limit(shapes: Iterable[Any]) -> int | None:
    """Returns 1 for inputs whose batch is fixed, None for open ones."""
    return 1 if any(tuple(shape)[:1] == (1,) for shape in shapes) else None


def input_spec(name: str, shape: Any, dtype: str) -> facts.TensorSpec:
    """Returns an input with a batch of 1; open sizes are -1.

    Raises:
        ModelError: If it is no dense tensor of numbers with an open batch.
    """
    sizes = getattr(shape, "rank", 0) is not None and tuple(shape)
    if not sizes:
        raise errors.ModelError(
            "Inputs must have a known number of dimensions, a batch first. "
            f"Received: input {name!r} with shape {shape}."
        )
    if dtype == "string" or dtype == "resource":
        raise errors.ModelError(
            f"Inputs must be numbers. Received: input {name!r} of type "
            f"{dtype}. Give the model what its text is turned into."
        )
    if sizes[0] not in (None, 1):
        raise errors.ModelError(
            "A model must take one example at a time. Received: input "
            f"{name!r} with a batch of {sizes[0]}. Build it with an open batch."
        )
    return facts.TensorSpec(
        name=name,
        shape=(1, *(-1 if n is None else int(n) for n in sizes[1:])),
        dtype=dtype,
    )


def _with_size(
    spec: facts.TensorSpec, shape: tuple[int, ...]
) -> facts.TensorSpec:
    fits = len(shape) == len(spec.shape) and all(
        have in (-1, want) and (want > 0 or want == have)
        for have, want in zip(spec.shape, shape, strict=True)
    )
    if not fits:
        raise errors.ModelError(
            f"`input_shape` of {spec.name!r} must be {spec.shape} with sizes "
            f"for -1. Received: {shape}."
        )
    return dataclasses.replace(spec, shape=shape)
