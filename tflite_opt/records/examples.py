# SPDX-License-Identifier: Apache-2.0
"""What every stage may do with the examples of one input."""

from typing import Protocol

import numpy as np


class Examples(Protocol):
    """Examples of one input: an array, or something that loads them on access.

    Slice it batch by batch: a lazy one may not fit into memory.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of examples, then the shape of one."""

    @property
    def dtype(self) -> np.dtype:
        """Of what indexing returns."""

    def __len__(self) -> int:
        """Number of examples."""

    def __getitem__(self, chosen: slice | np.ndarray) -> np.ndarray:
        """Returns the examples of a slice or at int64 positions."""
