# SPDX-License-Identifier: Apache-2.0
"""Integers for a layer's weights that keep its outputs, not its weights.

Rounding each weight to its nearest level is best only if a layer's inputs are
uncorrelated. Here the squared error of the outputs is lowered, first by
handing the rounding error of each weight on to those not yet rounded, then by
changing single weights as long as that helps.

References:
    Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative
    Pre-trained Transformers", 2023. https://arxiv.org/abs/2210.17323
    Chen et al., "The Geometry of LLM Quantization: GPTQ as Babai's Nearest
    Plane Algorithm", 2025. https://arxiv.org/abs/2507.18553
    Nagel et al., "Up or Down? Adaptive Rounding for Post-Training
    Quantization", 2020. https://arxiv.org/abs/2004.10568
"""

import numpy as np

# Of the mean diagonal: inputs that hardly vary must not decide.
_DAMPING = 0.01
# A few of them leave nothing to change.
_MAX_SWEEPS = 8


def target(
    weights: np.ndarray,
    moments: np.ndarray,
    cross_moments: np.ndarray,
    ridge: float,
) -> np.ndarray:
    """Returns float weights that make good for errors of the inputs.

    Minimizes |x w - y w0|^2 + ridge |w - w0|^2, with the ridge in units of
    the mean variance of x. Without it, few examples are fitted too well.

    Args:
        weights: w0, shape (g, k, o).
        moments: Of the quantized inputs x, shape (g, k, k).
        cross_moments: Of x with the float inputs y, shape (g, k, k).
        ridge: Positive.
    """
    penalty = ridge * _scaled_identity(moments)
    # Well conditioned by the ridge, so that float32 is enough.
    return np.linalg.solve(
        (moments + penalty).astype(np.float32),
        ((cross_moments + penalty) @ weights).astype(np.float32),
    )


def round_to_levels(
    levels: np.ndarray, moments: np.ndarray, limit: int
) -> np.ndarray:
    """Returns integers whose products are close to those of real numbers.

    Args:
        levels: Weights in units of their scale, shape (g, k, o).
        moments: Of the inputs, shape (g, k, k).
        limit: Largest magnitude of an integer.

    Returns:
        Same shape as `levels`, float64 without fractions.
    """
    damped = moments + _DAMPING * _scaled_identity(moments)
    rounded = _hand_errors_on(levels, damped, limit)
    _descend(rounded, levels, damped, limit)
    nearest = np.clip(np.rint(levels), -limit, limit)
    # Both are judged by what is minimized.
    better = _error(rounded - levels, damped) < _error(nearest - levels, damped)
    return np.where(better[:, np.newaxis], rounded, nearest)


def _scaled_identity(moments: np.ndarray) -> np.ndarray:
    scale = np.einsum("gkk->gk", moments).mean(axis=1)
    # Inputs that never vary have no preference.
    scale = np.where(scale > 0, scale, 1.0)
    return scale[:, np.newaxis, np.newaxis] * np.eye(moments.shape[1])


def _hand_errors_on(
    levels: np.ndarray, moments: np.ndarray, limit: int
) -> np.ndarray:
    """Returns levels rounded from the last to the first.

    That is GPTQ with its order reversed, which needs no inverse.
    """
    factor = np.linalg.cholesky(moments)
    rounded, left = np.empty(levels.shape), np.zeros(levels.shape)
    for k in reversed(range(levels.shape[1])):
        handed = factor[:, np.newaxis, k + 1 :, k] @ left[:, k + 1 :]
        wanted = levels[:, k] + handed[:, 0] / factor[:, k, k, np.newaxis]
        rounded[:, k] = np.clip(np.rint(wanted), -limit, limit)
        left[:, k] = levels[:, k] - rounded[:, k]
    return rounded


def _descend(
    rounded: np.ndarray, levels: np.ndarray, moments: np.ndarray, limit: int
) -> None:
    """Changes single weights of `rounded` in place while that helps."""
    gradient = moments @ (rounded - levels)
    for _ in range(_MAX_SWEEPS):
        is_settled = True
        for k in range(levels.shape[1]):
            curvature = moments[:, k, k, np.newaxis]
            best = np.rint(rounded[:, k] - gradient[:, k] / curvature)
            change = np.clip(best, -limit, limit) - rounded[:, k]
            columns = np.flatnonzero(change.any(axis=0))
            if not len(columns):
                continue
            is_settled = False
            rounded[:, k] += change
            gradient[:, :, columns] += (
                moments[:, :, k, np.newaxis] * change[:, np.newaxis, columns]
            )
        if is_settled:
            return


def _error(difference: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Returns the squared errors of outputs, shape (g, o)."""
    return np.einsum("gko,gko->go", difference, moments @ difference)
