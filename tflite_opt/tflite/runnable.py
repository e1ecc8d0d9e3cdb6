# SPDX-License-Identifier: Apache-2.0
"""One interpreter with its inputs set, ready to be invoked again and again.

Imports nothing of weight beside the runtime, whose memory a launch measures.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert

from tflite_opt.tflite import loaded_model


class Runnable:
    """A prepared graph of a file."""

    def __init__(
        self,
        path: str,
        *,
        delegate: str,
        num_threads: int,
        subgraph: int,
        input_tensors: Sequence[int],
        input_shapes: Sequence[Sequence[int]] | None = None,
    ) -> None:
        """Prepares the graph.

        Args:
            path: A `.tflite`.
            delegate: `xnnpack`, or `none` for the builtin kernels.
            num_threads: At least 1.
            subgraph: Index of the graph.
            input_tensors: Tensor indices of its inputs.
            input_shapes: Of its inputs, if others than the file's own.

        Raises:
            RuntimeError: If the runtime cannot prepare it, and other built-in
                errors likewise.
        """
        # Its methods take the index of a graph, which the public ones do not.
        self._owner = litert.Interpreter(
            path,
            num_threads=num_threads,
            experimental_op_resolver_type=loaded_model.RESOLVERS[delegate],
        )
        self._native: Any = self._owner._interpreter
        self._subgraph = subgraph
        self._input_tensors = tuple(input_tensors)
        for tensor, shape in zip(
            self._input_tensors, input_shapes or (), strict=False
        ):
            self._native.ResizeInputTensor(
                tensor, np.array(shape, np.int32), False, subgraph
            )
        self._native.AllocateTensors(subgraph)

    def set_inputs(self, inputs: Sequence[np.ndarray]) -> None:
        """Copies values into the graph's inputs, in their order."""
        for tensor, values in zip(self._input_tensors, inputs, strict=True):
            self._native.SetTensor(tensor, values, self._subgraph)

    def invoke(self) -> None:
        """Runs the graph once; other Python threads run meanwhile."""
        self._native.Invoke(self._subgraph)

    def output(self, tensor: int) -> np.ndarray:
        """Returns a copy of a tensor's values."""
        return self._native.GetTensor(tensor, self._subgraph)

    def count_partitions(self) -> int | None:
        """Returns the delegate nodes of the main graph; None for another."""
        if self._subgraph:
            return None
        nodes = [
            self._native.NodeName(i) for i in range(self._native.NumNodes())
        ]
        return nodes.count("DELEGATE")
