# SPDX-License-Identifier: Apache-2.0
"""Which operands of an operation are weights and biases.

A weight is a constant that an operation multiplies or looks up. Positions are
those of TFLite's kernels; knows nothing of files or records.

References:
    https://github.com/google-ai-edge/LiteRT/tree/main/tflite/kernels
"""

import dataclasses

from tflite_opt.records import facts
from tflite_opt.tflite import flatbuffer


@dataclasses.dataclass(frozen=True)
class _Positions:
    """Operand positions of weights and biases."""

    weights: tuple[int, ...]
    biases: tuple[int, ...] = ()


_CONVOLUTION = _Positions((1,), (2,))
_TRANSPOSED_CONVOLUTION = _Positions((1,), (3,))
_RNN = _Positions((1, 2), (3,))
# Input, recurrent, peephole and projection weights.
_LSTM = _Positions((*range(1, 12), 16), (12, 13, 14, 15, 17))
_BASIC_LSTM_OPERANDS = 5
_POSITIONS = {
    "CONV_2D": _CONVOLUTION,
    "DEPTHWISE_CONV_2D": _CONVOLUTION,
    "CONV_3D": _CONVOLUTION,
    "FULLY_CONNECTED": _CONVOLUTION,
    "TRANSPOSE_CONV": _TRANSPOSED_CONVOLUTION,
    "CONV_3D_TRANSPOSE": _TRANSPOSED_CONVOLUTION,
    "BATCH_MATMUL": _Positions((0, 1)),
    "EMBEDDING_LOOKUP": _Positions((1,)),
    "EMBEDDING_LOOKUP_SPARSE": _Positions((4,)),
    "GATHER": _Positions((0,)),
    "RNN": _RNN,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _RNN,
    "BIDIRECTIONAL_SEQUENCE_RNN": _Positions((1, 2, 5, 6, 10, 11), (3, 7)),
    "SVDF": _RNN,
    "LSTM": _LSTM,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _LSTM,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _Positions(
        (*range(1, 12), 16, *range(18, 29), 33, *range(40, 48)),
        (12, 13, 14, 15, 17, 29, 30, 31, 32, 34),
    ),
}
# Where channels are not the first dimension of a weight; counted from its end
# where negative.
_CHANNEL_AXES = {
    "DEPTHWISE_CONV_2D": -1,
    "CONV_3D": -1,
    "CONV_3D_TRANSPOSE": -2,
    "BATCH_MATMUL": -1,
}
# Their constant operands may as well be indices or shapes.
_AMBIGUOUS = frozenset({"BATCH_MATMUL", "GATHER"})
# What stands between a stored weight and its use without changing what it is.
_TRANSPARENT = frozenset({"DEQUANTIZE", "DENSIFY", "QUANTIZE", "FAKE_QUANT"})


class ConstantTracer:
    """Finds the constant tensors behind the operands of one subgraph."""

    def __init__(
        self, model: flatbuffer.Model, subgraph: flatbuffer.Subgraph
    ) -> None:
        self._model = model
        self._tensors = subgraph.tensors
        self._source = {
            operator.outputs[0]: operator.inputs[0]
            for operator in subgraph.operators
            if operator.name in _TRANSPARENT
            and operator.inputs
            and operator.outputs
        }

    def weights(self, operator: flatbuffer.Operator) -> tuple[int, ...]:
        """Returns the indices of an operator's stored weights."""
        found = self._constants(operator, _positions(operator).weights)
        if operator.name in _AMBIGUOUS:
            found = tuple(i for i in found if self._is_table(i))
        return found

    def biases(self, operator: flatbuffer.Operator) -> tuple[int, ...]:
        """Returns the indices of an operator's stored biases."""
        return self._constants(operator, _positions(operator).biases)

    def _constants(
        self, operator: flatbuffer.Operator, positions: tuple[int, ...]
    ) -> tuple[int, ...]:
        traced = (
            self._trace(operator.inputs[position])
            for position in positions
            if position < len(operator.inputs)
        )
        return tuple(dict.fromkeys(i for i in traced if i != -1))

    def _trace(self, index: int) -> int:
        """Returns the stored tensor behind a tensor; -1 if there is none."""
        seen = set()
        while index != -1 and index not in seen:
            if self._model.is_constant(self._tensors[index]):
                return index
            seen.add(index)
            index = self._source.get(index, -1)
        return -1

    def _is_table(self, index: int) -> bool:
        tensor = self._tensors[index]
        return len(tensor.shape) >= 2 and (
            tensor.dtype in facts.FLOAT_DTYPES
            or len(tensor.scale) > 0
            or tensor.scales_tensor != -1
        )


def channel_axis(name: str, rank: int) -> int:
    """Returns the dimension of a weight that counts output channels.

    Args:
        name: TFLite's name of the operation.
        rank: Number of the weight's dimensions.
    """
    axis = _CHANNEL_AXES.get(name, 0)
    return max(0, axis + rank) if axis < 0 else axis


def _positions(operator: flatbuffer.Operator) -> _Positions:
    if operator.is_custom:
        return _Positions(())
    if operator.name == "LSTM" and len(operator.inputs) == _BASIC_LSTM_OPERANDS:
        return _Positions((2,), (3,))
    return _POSITIONS.get(operator.name, _Positions(()))
