# SPDX-License-Identifier: Apache-2.0
"""Flags for the dimensions that a file leaves open."""

from absl import flags

from tflite_opt.records import errors

_INPUT_SHAPE = flags.DEFINE_multi_string(
    "input_shape",
    [],
    "Shape of an input, as name:1,224,224,3; may be given for each input. "
    "MACs, arena and delegation are those for it.",
)
_DYNAMIC_DIMENSION = flags.DEFINE_integer(
    "dynamic_dimension",
    None,
    "Size of all other dimensions that the file leaves open.",
    lower_bound=1,
)


def input_shapes() -> dict[str, tuple[int, ...]]:
    """Returns the given shapes by name of the input.

    Raises:
        InputError: If one is no shape, or an input is given twice.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for text in _INPUT_SHAPE.value:
        # Names may contain a colon.
        name, _, sizes = text.rpartition(":")
        try:
            shape = tuple(int(size) for size in sizes.split(","))
        except ValueError as error:
            raise errors.InputError(
                "`--input_shape` must be a name and sizes, as in "
                f"image:1,224,224,3. Received: {text!r}."
            ) from error
        if name in shapes:
            raise errors.InputError(
                "`--input_shape` must be given once for an input. "
                f"Received: {name!r} twice."
            )
        shapes[name] = shape
    return shapes


def dynamic_dimension() -> int | None:
    """Returns the size of all other open dimensions, if it was given."""
    return _DYNAMIC_DIMENSION.value
