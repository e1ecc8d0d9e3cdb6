# SPDX-License-Identifier: Apache-2.0
"""One interpreter and what lies between it and float examples.

Owns preparation, quantization of inputs and outputs, and batches. Knows
nothing of labels or metrics.
"""

import contextlib
import math
import pathlib
from collections.abc import Iterator, Mapping

import numpy as np
from ai_edge_litert import interpreter as litert

from tflite_opt.records import benchmark, errors, examples
from tflite_opt.tflite import native_messages, ports

Arrays = Mapping[str, np.ndarray]
Inputs = Mapping[str, examples.Examples]

# Small inputs gain from batches; with large ones the activations of a batch
# leave the cache, and 32 images of 224x224x3 are slower than one by one.
_MAX_BATCH_SIZE = 32
_MAX_BATCH_BYTES = 1 << 18
# Batches count as safe when this many inferences give the same bits at once
# as one after the other.
_PROOF_INFERENCES = 8

RESOLVERS = {
    "xnnpack": litert.OpResolverType.AUTO,
    "none": litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}


class LoadedModel:
    """A prepared model; not for use by several threads at once.

    Attributes:
        inputs: Named as in the signature when there is exactly one, else as
            the tensors of the main subgraph. The first dimension is that of
            the examples.
        outputs: Likewise.
        partitions: Number of delegate nodes in the main subgraph.
        batches_agree: Whether several examples may be run at once; None until
            it was tried.
    """

    def __init__(
        self,
        path: pathlib.Path,
        delegate: benchmark.Delegate,
        num_threads: int,
    ) -> None:
        self._path = path
        self._delegate = delegate
        self._num_threads = num_threads
        self._shapes: list[tuple[int, ...]] = []
        self._prepare()
        # Names may be no valid text.
        with self._runtime_errors("describe"):
            self._describe()
        # Known once a file turns out to be one for examples.
        self._stored_examples = 0
        self.batches_agree: bool | None = None

    def _describe(self) -> None:
        details = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        names = _signature_names(self._interpreter)
        self.inputs = ports.specs(details, names[0], "input")
        self.outputs = ports.specs(outputs, names[1], "output")
        self._input_indices = [d["index"] for d in details]
        self._output_indices = [d["index"] for d in outputs]
        # `_get_ops_details` would also decode the names of all tensors.
        native = self._interpreter._interpreter
        nodes = [native.NodeName(i) for i in range(native.NumNodes())]
        self.partitions = nodes.count("DELEGATE")

    def run(
        self, inputs: Inputs, batch_size: int | None = None
    ) -> dict[str, np.ndarray]:
        """Runs examples and returns real-valued outputs.

        Args:
            inputs: By name, shape (n, ...) with the model's shape of one
                example; lazy ones are loaded batch by batch. Floating data
                for a quantized input are quantized with its own scale and
                zero point; integers of its own dtype are taken as they are.
            batch_size: Examples in one inference, if batches agree bit by
                bit with single examples; else it has no effect. None chooses
                one by the size of an example.

        Returns:
            By name, shape (n, ...). Quantized outputs are dequantized to
            float32 with their own scale and zero point.

        Raises:
            DataError: If the inputs do not fit the model.
            ModelError: If the runtime fails.
        """
        return self.to_real(self.run_raw(inputs, batch_size))

    def run_raw(
        self, inputs: Inputs, batch_size: int | None = None
    ) -> dict[str, np.ndarray]:
        """Does the same as `run`, with outputs in the model's own dtypes."""
        ranges = self.plan(inputs, batch_size)
        return self.join([self.run_range(inputs, *ends) for ends in ranges])

    def to_real(self, raw: Arrays) -> dict[str, np.ndarray]:
        """Dequantizes the quantized ones among `run_raw`'s outputs."""
        return {s.name: ports.to_real(raw[s.name], s) for s in self.outputs}

    def plan(
        self, inputs: Inputs, batch_size: int | None = None
    ) -> list[tuple[int, int]]:
        """Checks inputs and splits their examples into inferences.

        Args:
            inputs: As for `run`. The first examples are run to find out
                whether batches agree with single examples.
            batch_size: As for `run`.

        Returns:
            First example and one past the last, for `run_range`.

        Raises:
            DataError: If the inputs do not fit the model.
            ModelError: If the runtime fails.
        """
        self._stored_examples = ports.stored_examples(self.inputs, self.outputs)
        if batch_size is None:
            batch_size = self._batch_size()
        if batch_size < 1:
            raise errors.InputError(
                "`batch_size` must be at least 1. "
                f"Received: batch_size={batch_size}"
            )
        count = ports.count_examples(inputs, self.inputs)
        step = self._stored_examples
        if batch_size > step and count > step:
            if self.batches_agree is None:
                self._prove_batches(
                    inputs, min(count, step * _PROOF_INFERENCES)
                )
            step = batch_size if self.batches_agree else step
        return [(i, min(i + step, count)) for i in range(0, count, step)]

    def duplicate(self) -> "LoadedModel":
        """Returns another interpreter of the file, for another thread.

        It runs what this one has planned.
        """
        other = LoadedModel(self._path, self._delegate, self._num_threads)
        other._stored_examples = self._stored_examples
        other.batches_agree = self.batches_agree
        return other

    def _batch_size(self) -> int:
        stored_bytes = sum(
            math.prod(shape) * np.dtype(spec.dtype).itemsize
            for shape, spec in zip(self._shapes, self.inputs, strict=True)
        )
        fitting = (
            _MAX_BATCH_BYTES * self._stored_examples // max(stored_bytes, 1)
        )
        return max(1, min(_MAX_BATCH_SIZE, fitting))

    def _prove_batches(self, inputs: Inputs, count: int) -> None:
        step = self._stored_examples
        expected = self.join(
            [
                self.run_range(inputs, i, min(i + step, count))
                for i in range(0, count, step)
            ]
        )
        self.batches_agree = True
        try:
            found = self.run_range(inputs, 0, count)
            self.batches_agree = all(
                found[name].shape == expected[name].shape
                and found[name].tobytes() == expected[name].tobytes()
                for name in expected
            )
        except errors.ModelError:
            self.batches_agree = False
        if not self.batches_agree:
            # A refused batch leaves the interpreter unprepared.
            self._prepare()

    def run_range(
        self, inputs: Inputs, begin: int, end: int
    ) -> dict[str, np.ndarray]:
        """Runs examples [begin, end) of checked inputs in one inference.

        Returns:
            By name, shape (end - begin, ...), in the model's own dtypes.

        Raises:
            DataError: If a value cannot be represented.
            ModelError: If the runtime fails.
        """
        count = end - begin
        size = count if self.batches_agree else self._stored_examples
        arrays = []
        for spec in self.inputs:
            rows = ports.to_raw(inputs[spec.name][begin:end], spec)
            # A file may insist on its own number of examples.
            padding = [(0, size - count)] + [(0, 0)] * (rows.ndim - 1)
            arrays.append(
                np.pad(rows, padding, mode="edge") if size > count else rows
            )
        with self._runtime_errors("run"):
            self._resize([array.shape for array in arrays])
            for index, array in zip(self._input_indices, arrays, strict=True):
                self._interpreter.set_tensor(index, array)
            # State, as of a recurrent layer, must not leak between examples.
            self._interpreter.reset_all_variables()
            self._interpreter.invoke()
            found = [
                self._interpreter.get_tensor(i) for i in self._output_indices
            ]
        return {
            spec.name: self._rows(array, size)[:count]
            for spec, array in zip(self.outputs, found, strict=True)
        }

    def _resize(self, shapes: list[tuple[int, ...]]) -> None:
        if shapes == self._shapes:
            return
        for index, shape in zip(self._input_indices, shapes, strict=True):
            self._interpreter.resize_tensor_input(index, shape)
        self._interpreter.allocate_tensors()
        self._shapes = shapes

    def _prepare(self) -> None:
        with self._runtime_errors("prepare"), native_messages.filtered():
            self._interpreter = litert.Interpreter(
                str(self._path),
                num_threads=self._num_threads,
                experimental_op_resolver_type=RESOLVERS[self._delegate],
            )
            self._interpreter.allocate_tensors()
            details = self._interpreter.get_input_details()
        self._shapes = [tuple(d["shape"].tolist()) for d in details]

    def _rows(self, array: np.ndarray, size: int) -> np.ndarray:
        """Returns an output of an inference of `size` examples by example."""
        if array.ndim and len(array) == size:
            return array
        if size == 1:
            return array[np.newaxis]
        raise errors.ModelError(
            "The first dimension of all outputs must be that of the examples. "
            f"Received: path={str(self._path)!r}, shape={array.shape} for "
            f"{size} examples."
        )

    def join(self, parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Returns the results of consecutive `run_range`s as one.

        Raises:
            ModelError: If the shape of an output depends on the example.
        """
        try:
            return {
                spec.name: np.concatenate([part[spec.name] for part in parts])
                for spec in self.outputs
            }
        except ValueError as error:
            raise errors.ModelError(
                "Outputs must have the same shape for all examples. "
                f"Received: path={str(self._path)!r}, but {error}."
            ) from error

    @contextlib.contextmanager
    def _runtime_errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except errors.ModelError:
            raise
        except (RuntimeError, ValueError, MemoryError) as error:
            raise errors.ModelError(
                f"The runtime must be able to {verb} the model. "
                f"Received: path={str(self._path)!r}, "
                f"delegate={self._delegate}: {native_messages.one_line(error)}."
            ) from error


def _signature_names(
    interpreter: litert.Interpreter,
) -> tuple[dict[int, str], dict[int, str]]:
    """Returns names of inputs and outputs by tensor index."""
    signatures = list(interpreter._get_full_signature_list().values())
    # With several, or another graph than the main one, names are ambiguous.
    if len(signatures) == 1:
        inputs, outputs = (
            {index: name for name, index in signatures[0][kind].items()}
            for kind in ("inputs", "outputs")
        )
        if set(inputs) == {d["index"] for d in interpreter.get_input_details()}:
            return inputs, outputs
    return {}, {}
