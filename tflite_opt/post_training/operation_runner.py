# SPDX-License-Identifier: Apache-2.0
"""Runs a `.tflite` operation after operation, on many examples at once.

Each operation is a model of its own in the same runtime, so that its results
are those of the whole file, and a constant may be replaced before it is
reached, without running anything again. Runs in this process.
"""

import math
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
from ai_edge_litert import interpreter as litert

from tflite_opt.records import benchmark, errors
from tflite_opt.tflite import (
    constants,
    flatbuffer,
    interpreter,
    loaded_model,
    native_messages,
    ports,
    splitting,
)

# Of one tensor over all examples; a few of that size are held at once.
_MAX_TENSOR_BYTES = 1 << 29
_MIN_EXAMPLES = 8


def affordable(
    path: pathlib.Path, inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns as many of the first examples as fit into memory.

    Args:
        path: A `.tflite`.
        inputs: By name, shape `(n, ...)`.

    Returns:
        At least 8, if there are as many, so that the largest tensor takes at
        most 512 MB in float32.
    """
    graph = flatbuffer.read(path).subgraphs[0]
    largest = max(4 * math.prod(tensor.shape) for tensor in graph.tensors)
    count = max(_MIN_EXAMPLES, _MAX_TENSOR_BYTES // max(largest, 1))
    return {name: array[:count] for name, array in inputs.items()}


class OperationRunner:
    """The main graph of a file and the values that its next operations read.

    Attributes:
        model: The file.
        graph: Its main graph.
    """

    def __init__(
        self, path: pathlib.Path, inputs: Mapping[str, np.ndarray]
    ) -> None:
        """Sets the inputs.

        Args:
            path: A `.tflite` of single examples.
            inputs: By name, shape `(n, ...)`, as for `LoadedModel.run`.

        Raises:
            ModelError: If it has loops, state or operations of others, or is
                made for several examples at once.
            DataError: If the inputs do not fit it.
        """
        self._path = path
        self.model = flatbuffer.read(path)
        self.graph = self.model.subgraphs[0]
        self._require_plain()
        loaded = interpreter.load(path)
        self.num_examples = ports.count_examples(inputs, loaded.inputs)
        self._values = {
            index: ports.to_raw(inputs[spec.name], spec)[:, np.newaxis]
            for index, spec in zip(
                self.graph.inputs, loaded.inputs, strict=True
            )
        }
        self._splitter = splitting.Splitter(path)
        self._last_use = {
            tensor: position
            for position, operator in enumerate(self.graph.operators)
            for tensor in operator.inputs
        } | dict.fromkeys(self.graph.outputs, len(self.graph.operators))
        self._replaced: dict[int, bytes] = {}
        self._next = 0

    def _require_plain(self) -> None:
        strange = [
            operator.name
            for operator in self.graph.operators
            if operator.is_custom or operator.callees
        ]
        strange += [t.name for t in self.graph.tensors if t.is_variable]
        sizes = {
            self.graph.tensors[index].shape[:1] for index in self.graph.inputs
        }
        if strange or sizes != {(1,)}:
            raise errors.ModelError(
                "To be run operation after operation, a model must be for "
                "single examples, without loops, state and custom operations. "
                f"Received: path={str(self._path)!r} with "
                f"{', '.join(strange) or f'inputs for {sorted(sizes)}'}."
            )

    @property
    def position(self) -> int:
        """Number of operations that have been run."""
        return self._next

    def has(self, tensor: int) -> bool:
        """Whether `value` can return a tensor's values now."""
        return tensor in self._values

    def value(self, tensor: int) -> np.ndarray:
        """Returns a tensor's values, of the file's dtype.

        Args:
            tensor: An input, or written by an operation that has been run
                and read by one that has not.

        Returns:
            Shape `(n, *shape)` with the file's own shape of the tensor.
        """
        return self._values[tensor]

    def run_before(self, position: int) -> None:
        """Runs all operations before one, that have not been run yet."""
        while self._next < position:
            operator = self.graph.operators[self._next]
            self._run(operator)
            self._next += 1
            for tensor in {*operator.inputs, *operator.outputs}:
                if self._last_use.get(tensor, -1) < self._next:
                    self._values.pop(tensor, None)

    def replace(self, tensor: int, values: np.ndarray) -> None:
        """Gives a constant other values; int4 as int8."""
        stored = constants.encoded(self.graph.tensors[tensor], values)
        self._replaced[tensor] = stored

    def restore(self, tensor: int) -> None:
        """Gives a constant its own values again."""
        self._replaced.pop(tensor, None)

    def outputs_for(
        self,
        position: int,
        given: Mapping[int, np.ndarray],
        delegate: benchmark.Delegate = "xnnpack",
    ) -> dict[int, np.ndarray]:
        """Runs one operation with other inputs; remembers nothing of it.

        Args:
            position: Of the operation.
            given: Values of all its inputs that are no constants, by tensor,
                as `value` returns them.
            delegate: What runs it.

        Returns:
            By tensor, as `value` returns them.

        Raises:
            ModelError: If the runtime cannot run it.
        """
        outputs = self.graph.operators[position].outputs
        alone = range(position, position + 1)
        return self._invoke(alone, given, outputs, delegate)

    def outputs_after(
        self,
        end: int,
        changed: Mapping[int, np.ndarray],
        wanted: Sequence[int],
    ) -> dict[int, np.ndarray]:
        """Goes on with other values; remembers nothing of it.

        Args:
            end: Number of operations to run in all.
            changed: Instead of values of now, by tensor.
            wanted: Tensors, each an output of the operations to come or known
                now.

        Returns:
            By tensor, as `value` returns them.

        Raises:
            ModelError: If the runtime cannot run one.
        """
        left = range(self._next, end)
        read = {
            tensor
            for position in left
            for tensor in self.graph.operators[position].inputs
        }
        values = {**self._values, **changed}
        given = {tensor: x for tensor, x in values.items() if tensor in read}
        written = {
            tensor
            for position in left
            for tensor in self.graph.operators[position].outputs
        }
        targets = [tensor for tensor in wanted if tensor in written]
        found = self._invoke(left, given, targets) if targets else {}
        return {x: found[x] if x in found else values[x] for x in wanted}

    def _invoke(
        self,
        positions: range,
        given: Mapping[int, np.ndarray],
        wanted: Sequence[int],
        delegate: benchmark.Delegate = "xnnpack",
    ) -> dict[int, np.ndarray]:
        tensors = list(given)
        try:
            with native_messages.filtered():
                native = litert.Interpreter(
                    model_content=self._splitter.extract(
                        positions, tensors, wanted, self._replaced
                    ),
                    num_threads=1,
                    experimental_op_resolver_type=loaded_model.RESOLVERS[
                        delegate
                    ],
                )
                native.allocate_tensors()
            sources = [d["index"] for d in native.get_input_details()]
            targets = [d["index"] for d in native.get_output_details()]
            found: list[list[np.ndarray]] = [[] for _ in targets]
            for example in range(self.num_examples):
                for source, tensor in zip(sources, tensors, strict=True):
                    native.set_tensor(source, given[tensor][example])
                native.invoke()
                for target, values in zip(targets, found, strict=True):
                    values.append(native.get_tensor(target))
        except (RuntimeError, ValueError) as error:
            names = [self.graph.operators[x].name for x in positions]
            raise errors.ModelError(
                "The runtime must be able to run each operation alone. "
                f"Received: path={str(self._path)!r}, {names[0]}: "
                f"{native_messages.one_line(error)}."
            ) from error
        return {
            tensor: np.stack(values)
            for tensor, values in zip(wanted, found, strict=True)
        }

    def _run(self, operator: flatbuffer.Operator) -> None:
        # Each once: an operation may read a tensor twice.
        given = [i for i in dict.fromkeys(operator.inputs) if i in self._values]
        self._values |= self.outputs_for(
            self._next, {tensor: self._values[tensor] for tensor in given}
        )
