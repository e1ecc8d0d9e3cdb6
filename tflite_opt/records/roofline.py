# SPDX-License-Identifier: Apache-2.0
"""How far a model runs from what its machine reaches."""

import dataclasses
from typing import Literal

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class Roofline(serialization.Record):
    """A model against one fully-connected operation on the same machine.

    Attributes:
        artifact: The model.
        num_threads: Of all measurements.
        dtype: That of most of the model's products, and of the operation.
        macs: Multiply-accumulates of one inference.
        bytes_moved: Weights, inputs and outputs, each once: what has to move
            at least.
        median_ms: The model's median latency.
        reachable_macs_per_s: Of an operation whose operands stay in the cache.
        reachable_bytes_per_s: Of an operation that reads about as many bytes
            of weights as the model has, each once.
    """

    artifact: artifact_record.Artifact
    num_threads: int
    dtype: Literal["float32", "int8"]
    macs: int
    bytes_moved: int
    median_ms: float
    reachable_macs_per_s: float
    reachable_bytes_per_s: float

    @property
    def macs_per_s(self) -> float:
        """Multiply-accumulates per second that the model reaches."""
        return self.macs / self.median_ms * 1e3

    @property
    def bytes_per_s(self) -> float:
        """Bytes per second that the model moves at least."""
        return self.bytes_moved / self.median_ms * 1e3

    @property
    def limit_ms(self) -> float:
        """No model of so many products and bytes is faster here."""
        return 1e3 * max(
            self.macs / self.reachable_macs_per_s,
            self.bytes_moved / self.reachable_bytes_per_s,
        )
