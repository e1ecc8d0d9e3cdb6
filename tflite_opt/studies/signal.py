# SPDX-License-Identifier: Apache-2.0
"""How much of an output is noise."""

import numpy as np


def to_noise_db(expected: np.ndarray, found: np.ndarray) -> float:
    """Returns 10 log10 of the signal's power over the noise's.

    Args:
        expected: The signal, any shape.
        found: The signal with noise, of the same shape.
    """
    signal = np.sum(expected.astype(np.float64) ** 2)
    noise = np.sum((found.astype(np.float64) - expected) ** 2)
    return float(10 * np.log10(signal / max(noise, np.finfo(float).tiny)))
