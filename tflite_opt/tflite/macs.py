# SPDX-License-Identifier: Apache-2.0
"""Multiply-accumulates of one operation, from the shapes of its operands.

One multiplication with its addition is 1 MAC. Only products of activations
with weights, or of two activations in a matrix product, count: no bias, no
activation function, no elementwise operation, no requantization. Padding
counts as if it were data, as in published figures. An operation that runs
another graph has none of its own; those of its graph are counted there.

References:
    https://github.com/google-ai-edge/LiteRT/tree/main/tflite/kernels
"""

import math
from collections.abc import Callable, Sequence

from tflite_opt.tflite import flatbuffer

# None for a tensor whose size is not known.
Shape = tuple[int, ...] | None

# Of operations whose products lie in their options, or anywhere.
_UNKNOWN = frozenset(
    {"STABLEHLO_CONVOLUTION", "STABLEHLO_CUSTOM_CALL", "STABLEHLO_DOT_GENERAL"}
)
# Input, recurrent, peephole and projection weights of one direction.
_LSTM_WEIGHTS = (*range(1, 12), 16)
_BASIC_LSTM_OPERANDS = 5


class _UnknownError(Exception):
    """A shape is open, or not what the operation needs."""


class _Shapes:
    """The shapes of one operation's operands."""

    def __init__(
        self, operator: flatbuffer.Operator, shapes: Sequence[Shape]
    ) -> None:
        self._operator = operator
        self._shapes = shapes
        self.num_inputs = len(operator.inputs)

    def input(self, position: int, rank: int = 0) -> tuple[int, ...]:
        """Returns the shape of an input; of exactly `rank` if that is given."""
        return self._known(self._operator.inputs, position, rank)

    def output(self) -> tuple[int, ...]:
        """Returns the shape of the first output."""
        return self._known(self._operator.outputs, 0, 0)

    def elements(self, positions: Sequence[int]) -> int:
        """Returns the number of elements of those inputs that are there."""
        inputs = self._operator.inputs
        return sum(
            math.prod(self.input(position))
            for position in positions
            if position < len(inputs) and inputs[position] != -1
        )

    def _known(
        self, operands: Sequence[int], position: int, rank: int
    ) -> tuple[int, ...]:
        if position >= len(operands) or operands[position] == -1:
            raise _UnknownError
        shape = self._shapes[operands[position]]
        if shape is None or -1 in shape or (rank and len(shape) != rank):
            raise _UnknownError
        return shape


def count(operator: flatbuffer.Operator, shapes: Sequence[Shape]) -> int | None:
    """Returns the MACs of one run of an operation.

    Args:
        operator: The operation.
        shapes: Of all tensors of its graph; None or -1 where the file leaves
            a size open.

    Returns:
        None where they depend on what is open, or where the operation is one
        that only its author knows.
    """
    if operator.is_custom or operator.name in _UNKNOWN:
        return None
    rule = _RULES.get(operator.name)
    if rule is None:
        return 0
    try:
        return rule(_Shapes(operator, shapes))
    except _UnknownError:
        return None


def _convolution(shapes: _Shapes) -> int:
    # Filter (output, height, width, input); with groups, its input channels
    # are those of one group.
    return math.prod(shapes.output()) * math.prod(shapes.input(1, 4)[1:])


def _depthwise(shapes: _Shapes) -> int:
    # Filter (1, height, width, output).
    return math.prod(shapes.output()) * math.prod(shapes.input(1, 4)[1:3])


def _convolution_3d(shapes: _Shapes) -> int:
    # Filter (depth, height, width, input, output).
    return math.prod(shapes.output()) * math.prod(shapes.input(1, 5)[:4])


def _transposed(shapes: _Shapes) -> int:
    # Filter (output, height, width, input): each input value meets all of the
    # rest.
    return math.prod(shapes.input(2)) * math.prod(shapes.input(1, 4)[:3])


def _transposed_3d(shapes: _Shapes) -> int:
    # Filter (depth, height, width, output, input).
    return math.prod(shapes.input(2)) * math.prod(shapes.input(1, 5)[:4])


def _fully_connected(shapes: _Shapes) -> int:
    # Weights (units, depth).
    return math.prod(shapes.output()) * shapes.input(1, 2)[1]


def _matrix_product(shapes: _Shapes) -> int:
    left, product = shapes.input(0), shapes.output()
    if min(len(left), len(product)) < 2:
        raise _UnknownError
    if 0 in product:
        return 0
    # Whichever of the last two dimensions is summed over: the other one is
    # the rows of the product.
    depth, rest = divmod(left[-1] * left[-2], product[-2])
    if rest:
        raise _UnknownError
    return math.prod(product) * depth


def _steps(shapes: _Shapes) -> int:
    # (time, batch, features) or (batch, time, features).
    return math.prod(shapes.input(0, 3)[:2])


def _lstm(shapes: _Shapes) -> int:
    batch = shapes.input(0, 2)[0]
    if shapes.num_inputs == _BASIC_LSTM_OPERANDS:
        return batch * shapes.elements((2,))
    return batch * shapes.elements(_LSTM_WEIGHTS)


def _sequence_lstm(shapes: _Shapes) -> int:
    return _steps(shapes) * shapes.elements(_LSTM_WEIGHTS)


def _bidirectional_sequence_lstm(shapes: _Shapes) -> int:
    # Forward, backward, and both kinds of weights of an auxiliary input.
    weights = (*_LSTM_WEIGHTS, *range(18, 29), 33, *range(40, 48))
    return _steps(shapes) * shapes.elements(weights)


def _rnn(shapes: _Shapes) -> int:
    return shapes.input(0, 2)[0] * shapes.elements((1, 2))


def _sequence_rnn(shapes: _Shapes) -> int:
    return _steps(shapes) * shapes.elements((1, 2))


def _bidirectional_sequence_rnn(shapes: _Shapes) -> int:
    return _steps(shapes) * shapes.elements((1, 2, 5, 6, 10, 11))


_RULES: dict[str, Callable[[_Shapes], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "CONV_3D": _convolution_3d,
    "TRANSPOSE_CONV": _transposed,
    "CONV_3D_TRANSPOSE": _transposed_3d,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _matrix_product,
    "LSTM": _lstm,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _sequence_lstm,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _bidirectional_sequence_lstm,
    # One step of features, then of time: both filters once for each example.
    "SVDF": _rnn,
    "RNN": _rnn,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _sequence_rnn,
    "BIDIRECTIONAL_SEQUENCE_RNN": _bidirectional_sequence_rnn,
}
