# SPDX-License-Identifier: Apache-2.0
"""Examples that are arrays, and examples that are loaded on access.

Both are sliced batch by batch; a lazy one is never wholly in memory unless
`materialize` is called.
"""

from typing import Protocol, cast

import numpy as np

from tflite_opt.records import errors, files
from tflite_opt.records import examples as examples_record

Examples = examples_record.Examples


class LazyExamples(Examples, Protocol):
    """Examples that are not in memory."""

    def take(self, positions: np.ndarray) -> "LazyExamples":
        """Returns a view of the examples at `positions`; loads nothing.

        Args:
            positions: Shape `(n,)`, int64.
        """

    def fingerprint(self) -> str:
        """Returns a hash of what decides the values; decodes nothing."""


def take(examples: Examples, positions: np.ndarray) -> Examples:
    """Returns the examples at `positions`.

    Args:
        examples: An array, or lazy examples.
        positions: Shape `(n,)`, int64.

    Returns:
        An array for an array, a lazy view for lazy examples.
    """
    if isinstance(examples, np.ndarray):
        return examples[positions]
    return cast(LazyExamples, examples).take(positions)


def first(examples: Examples, count: int) -> Examples:
    """Returns at most `count` examples from the front, lazy if they were."""
    return take(examples, np.arange(min(count, len(examples))))


def materialize(examples: Examples) -> np.ndarray:
    """Returns an array itself, or all lazy examples loaded."""
    return examples if isinstance(examples, np.ndarray) else examples[:]


def fingerprint(examples: Examples) -> str:
    """Returns a hash of the examples.

    Args:
        examples: An array is hashed by dtype, shape and values; lazy examples
            by what they are loaded from, without decoding.
    """
    if isinstance(examples, np.ndarray):
        return files.sha256_of_arrays({"": examples})
    return cast(LazyExamples, examples).fingerprint()


class Cast:
    """Examples in another dtype, cast on access and never with a loss.

    Args:
        examples: The examples.
        dtype: The other dtype.
        name: What errors call the input.
    """

    def __init__(self, examples: Examples, dtype: str, name: str) -> None:
        self._examples = examples
        self._name = name
        self.shape = examples.shape
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        """Number of examples."""
        return len(self._examples)

    def __getitem__(self, chosen: slice | np.ndarray) -> np.ndarray:
        """Returns some examples.

        Raises:
            DataError: If one holds a value that the dtype cannot hold.
        """
        values = self._examples[chosen]
        with np.errstate(invalid="ignore", over="ignore"):
            converted = values.astype(self.dtype)
            lost = converted.astype(values.dtype) != values
        if lost.any():
            raise errors.DataError(
                f"Examples for the input {self._name!r} must hold values of "
                f"dtype {self.dtype}. Received: {values[lost][0]} of dtype "
                f"{values.dtype}"
            )
        return converted

    def take(self, positions: np.ndarray) -> "Cast":
        """Returns the examples at `positions`, as lazily as they are held."""
        return Cast(
            take(self._examples, positions), self.dtype.name, self._name
        )

    def fingerprint(self) -> str:
        """Returns a hash of the examples and the dtype."""
        return files.sha256_of_text(
            f"{fingerprint(self._examples)} as {self.dtype}"
        )
