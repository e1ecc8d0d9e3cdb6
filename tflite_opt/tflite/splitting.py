# SPDX-License-Identifier: Apache-2.0
"""Makes a `.tflite` of some operations out of one of many."""

import copy
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from tflite_opt.tflite import flatbuffer


class Splitter:
    """Takes operations out of a file's main graph, alone or in a row."""

    def __init__(self, path: pathlib.Path) -> None:
        """Reads the file.

        Args:
            path: A `.tflite`.

        Raises:
            ModelError: If it is no valid one.
        """
        self._model = flatbuffer.read(path)
        self._parts = flatbuffer_utils.read_model(str(path))

    def extract(
        self,
        positions: range,
        given: Sequence[int],
        wanted: Sequence[int],
        replaced: Mapping[int, bytes] | None = None,
    ) -> bytes:
        """Returns the content of a file of some operations.

        Args:
            positions: Of the operations in the main graph.
            given: Tensors that become its inputs, in this order.
            wanted: Tensors that become its outputs, in this order.
            replaced: What other constants hold, by tensor.
        """
        stored = self._parts.subgraphs[0]
        operators = [copy.copy(stored.operators[x]) for x in positions]
        used = dict.fromkeys(
            i for x in operators for i in (*x.inputs, *x.outputs) if i != -1
        )
        places = {tensor: place for place, tensor in enumerate(used)} | {-1: -1}
        graph: Any = schema.SubGraphT()
        model: Any = schema.ModelT()
        model.version, model.subgraphs = self._parts.version, [graph]
        codes = list(dict.fromkeys(x.opcodeIndex for x in operators))
        model.operatorCodes = [self._parts.operatorCodes[x] for x in codes]
        model.buffers, graph.tensors = [schema.BufferT()], []
        tensors = self._model.subgraphs[0].tensors
        for tensor in used:
            own = copy.copy(stored.tensors[tensor])
            content = (replaced or {}).get(tensor)
            if content is None:
                content = self._model.buffer_bytes(tensors[tensor].buffer)
            own.buffer = len(model.buffers) if content else 0
            if content:
                buffer = schema.BufferT()
                # Anything but an array is packed byte by byte.
                buffer.data = np.frombuffer(content, np.uint8)
                model.buffers.append(buffer)
            graph.tensors.append(own)
        for operator in operators:
            operator.opcodeIndex = codes.index(operator.opcodeIndex)
            operator.inputs = [places[tensor] for tensor in operator.inputs]
            operator.outputs = [places[tensor] for tensor in operator.outputs]
        graph.inputs = [places[tensor] for tensor in given]
        graph.outputs = [places[tensor] for tensor in wanted]
        graph.operators = operators
        return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
