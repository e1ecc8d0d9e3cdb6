# SPDX-License-Identifier: Apache-2.0
"""What integers at one place of a model cost its outputs."""

import dataclasses
from collections.abc import Collection

from tflite_opt.records import serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperationSensitivity(serialization.Record):
    """One operation of a float model.

    A cost is the divergence of the model's outputs if this, and nothing else,
    is rounded. Costs of several places add up roughly.

    Attributes:
        position: In execution order.
        operation: TFLite's name.
        output: Name of its output tensor.
        layers: Keras layers; empty if no name tells.
        parameters: Elements of its stored weights and biases, or of the
            constants of an element-wise operation.
        macs: Multiply-accumulates; None if not known.
        activation_cost: Of its outputs in int8; 0.0 where they take the values
            and the scale of an input.
        weight_cost: Of its weights in int8, with the mean of each channel
            corrected, or of its constants; None without any.
        int4_cost: The same in int4; None without weights.
        readers: Positions of the operations that read its outputs, also
            behind those that keep the scale.
    """

    position: int
    operation: str
    output: str
    layers: tuple[str, ...]
    parameters: int
    macs: int | None
    activation_cost: float
    weight_cost: float | None
    int4_cost: float | None
    readers: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """The Keras layers, or the output's name where none is known."""
        return ", ".join(self.layers) or self.output


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sensitivity(serialization.Record):
    """All operations of a float model.

    Attributes:
        sha256: Of the float `.tflite`.
        num_examples: Calibration examples that were looked at.
        seconds: That took.
        input_cost: Of the inputs in int8.
        operations: In execution order.
        input_readers: Positions of the operations that read the inputs, also
            behind those that keep the scale.
    """

    sha256: str
    num_examples: int
    seconds: float
    input_cost: float
    operations: tuple[OperationSensitivity, ...]
    input_readers: tuple[int, ...] = ()

    @property
    def total_cost(self) -> float:
        """What float throughout saves."""
        return self.saved_by(range(len(self.operations)))

    def saved_by(self, positions: Collection[int]) -> float:
        """Returns what leaving some operations in float saves.

        What one of them gives stays float only if all that read it are among
        them; inputs and outputs of the model are float.

        Args:
            positions: Of the operations.
        """
        chosen = set(positions)
        saved = self.input_cost if chosen.issuperset(self.input_readers) else 0
        for x in (self.operations[position] for position in chosen):
            saved += x.weight_cost or 0.0
            if chosen.issuperset(x.readers):
                saved += x.activation_cost
        return saved

    def prefix_cost(self, length: int) -> float:
        """Returns what leaving the first operations in float saves.

        What the last of them gives becomes int8 all the same.

        Args:
            length: How many, at least 1.
        """
        chosen = self.operations[:length]
        return (
            self.input_cost
            + sum(x.weight_cost or 0.0 for x in chosen)
            + sum(x.activation_cost for x in chosen[:-1])
        )
