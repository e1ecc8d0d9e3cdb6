# SPDX-License-Identifier: Apache-2.0
"""Lazy examples that tell how much of them was loaded."""

import numpy as np

from tflite_opt.data import examples


class Counted:
    """An array that hands out batches and remembers the largest one."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype
        self.views: list[Counted] = []
        self.largest = 0

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, chosen: slice | np.ndarray) -> np.ndarray:
        batch = self.array[chosen]
        self.largest = max(self.largest, len(batch))
        return batch

    def take(self, positions: np.ndarray) -> "Counted":
        self.views.append(Counted(self.array[positions]))
        return self.views[-1]

    def fingerprint(self) -> str:
        return examples.fingerprint(self.array)

    def largest_batch(self) -> int:
        """Returns the most examples that were loaded at once."""
        return max([self.largest, *(x.largest_batch() for x in self.views)])
