# SPDX-License-Identifier: Apache-2.0
"""Examples in the form a model wants them: by its input names, checked.

Quantization fixes every range it sees in the representative data, so data that
do not fit the model are refused before anything is converted.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.data import dataset, examples
from tflite_opt.records import errors, facts

# Numbers of these dtypes go to inputs of any other of them, if nothing is lost.
_CAST_DTYPES = frozenset(
    {"float32", "int8", "uint8", "int16", "uint16", "int32", "int64"}
)


def representative_samples(
    split: dataset.Split, input_specs: Sequence[facts.TensorSpec]
) -> dict[str, np.ndarray]:
    """Returns the calibration data of a float model.

    Args:
        split: Usually `calibration`; all of it is used, in its order, and
            loaded into memory.
        input_specs: The model's inputs.

    Returns:
        By the model's input names, arrays of shape `(n, ...)`, of the inputs'
        dtypes.

    Raises:
        DataError: If the data do not fit the inputs, hold NaN or infinity, or
            are one single value throughout.
    """
    samples = {
        name: examples.materialize(x)
        for name, x in match_inputs(split.inputs, input_specs).items()
    }
    for spec in input_specs:
        check_samples(samples[spec.name], spec, split.ids)
    return samples


def check_samples(
    array: np.ndarray, spec: facts.TensorSpec, ids: np.ndarray
) -> None:
    """Checks the samples of one input whose shape fits.

    Args:
        array: Shape `(n, ...)`.
        spec: The model's input.
        ids: Of the samples, shape `(n,)`.

    Raises:
        DataError: If they have another dtype, hold NaN or infinity, or are
            one single value throughout.
    """
    _check_dtype(array, spec)
    _check_values(array, spec.name, ids)


def match_inputs(
    inputs: Mapping[str, examples.Examples],
    input_specs: Sequence[facts.TensorSpec],
) -> dict[str, examples.Examples]:
    """Renames a split's inputs to the model's and checks that they fit.

    A single input of the data goes to the single input of the model, whatever
    their names; several are matched by name. Looks at shapes and dtypes only,
    so it costs nothing. Nothing is loaded or copied.

    Args:
        inputs: By the data's input names, shape `(n, ...)`.
        input_specs: The model's inputs. The first dimension is the batch and
            is not compared; -1 elsewhere fits anything. An input that is
            quantized takes float32 too, which its caller has to quantize.
            Integers become what an input wants, and float32 becomes integers,
            batch by batch; a value that would change is an error there.

    Returns:
        The same examples by the model's input names, in the model's order.

    Raises:
        DataError: If names, a shape or a dtype do not fit.
    """
    matched = match_names(inputs, input_specs)
    for spec in input_specs:
        _check_shape(matched[spec.name], spec)
        matched[spec.name] = _in_dtype_of(spec, matched[spec.name])
    return matched


def _in_dtype_of(
    spec: facts.TensorSpec, inputs: examples.Examples
) -> examples.Examples:
    given = inputs.dtype.name
    wanted = spec.dtype
    if spec.scale and given != spec.dtype:
        # The values before quantization.
        wanted = "float32"
    if given == wanted:
        return inputs
    if not {given, wanted} <= _CAST_DTYPES:
        _check_dtype(inputs, spec)
    return examples.Cast(inputs, wanted, spec.name)


def match_names(
    inputs: Mapping[str, examples.Examples],
    input_specs: Sequence[facts.TensorSpec],
) -> dict[str, examples.Examples]:
    """Renames a split's inputs to the model's, looking at names only.

    Raises:
        DataError: If the names do not fit.
    """
    names = [spec.name for spec in input_specs]
    if len(inputs) == len(names) == 1:
        return {names[0]: next(iter(inputs.values()))}
    if set(inputs) != set(names) or len(inputs) != len(names):
        raise errors.DataError(
            "The data must have the model's inputs, by name. Received: "
            f"inputs={sorted(inputs)} for the model's {sorted(names)}"
        )
    return {name: inputs[name] for name in names}


def _check_shape(array: examples.Examples, spec: facts.TensorSpec) -> None:
    expected, received = spec.shape[1:], array.shape[1:]
    fits = len(expected) == len(received) and all(
        want in (-1, have)
        for want, have in zip(expected, received, strict=True)
    )
    if not fits:
        raise errors.DataError(
            f"Examples for the input {spec.name!r} must have the shape "
            f"{expected}. Received: shape={received}. The data set does not "
            "belong to this model."
        )


def _check_dtype(array: examples.Examples, spec: facts.TensorSpec) -> None:
    if array.dtype.name != spec.dtype:
        raise errors.DataError(
            f"Examples for the input {spec.name!r} must be {spec.dtype}. "
            f"Received: dtype={array.dtype.name}"
        )


def _check_values(array: np.ndarray, name: str, ids: np.ndarray) -> None:
    finite = np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
    if not finite.all():
        first = ids[np.flatnonzero(~finite)[0]]
        raise errors.DataError(
            f"Representative data for the input {name!r} must be finite. "
            f"Received: NaN or infinity in {np.sum(~finite)} of {len(array)} "
            f"examples, the first with id {first}"
        )
    low, high = array.min(), array.max()
    if low == high:
        raise errors.DataError(
            f"Representative data for the input {name!r} must vary, or every "
            f"range would be calibrated to nothing. Received: {low} in all of "
            f"{len(array)} examples"
        )
