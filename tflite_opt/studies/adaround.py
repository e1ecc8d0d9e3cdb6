# SPDX-License-Identifier: Apache-2.0
"""AdaRound as its paper has it, to measure our own rounding against.

Whether a weight is rounded up or down is learned by gradient descent on the
error of the layer's outputs, behind the activation function. Not a technique:
`post_training.rounding` takes its place.

References:
    Nagel et al., "Up or Down? Adaptive Rounding for Post-Training
    Quantization", 2020. https://arxiv.org/abs/2004.10568
"""

import dataclasses

import numpy as np

from tflite_opt.post_training import reconstruction

# Of the paper and its authors' own code: the stretched sigmoid, Adam's rate,
# the weight of the regularizer, its exponent from the first step to the last,
# and the fraction of all steps that come without it.
_LOW, _HIGH = -0.1, 1.1
_LEARNING_RATE = 1e-2
_REGULARIZATION = 0.01
_EXPONENTS = (20.0, 2.0)
_WARM_UP = 0.2
_MOMENTUM, _SQUARED_MOMENTUM, _EPSILON = 0.9, 0.999, 1e-8

_MAX_PATCHES = 1 << 13
_BATCH_SIZE = 512

# What the schema's activations let through; it fuses no others here.
_BOUNDS = {0: (-np.inf, np.inf), 1: (0, np.inf), 2: (-1, 1), 3: (0, 6)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdaRound:
    """Chooses the weights of a layer, for `reconstruction.reconstruct`.

    Attributes:
        iterations: Steps of Adam; the paper has 10,000.
    """

    iterations: int

    def __call__(self, problem: reconstruction.Problem) -> np.ndarray:
        """Returns integers, each a neighbour of the float weight.

        Args:
            problem: A layer.

        Returns:
            Shape (g, k, o).
        """
        levels = problem.weights / problem.scale
        below = np.floor(levels).astype(np.float32)
        # At the start the soft weights are the float ones.
        start = (levels - below - _LOW) / (_HIGH - _LOW)
        optimizer = _Adam(np.log(start / (1 - start)).astype(np.float32))
        error = _OutputError(problem)
        begin = int(_WARM_UP * self.iterations)
        for step in range(self.iterations):
            share, slope = _soft(optimizer.values)
            gradient = error.gradient(below + share) * slope
            if step >= begin:
                done = (step - begin) / (self.iterations - begin)
                gradient += _push(share, done) * slope
            optimizer.step(gradient)
        share, _ = _soft(optimizer.values)
        return np.clip(below + (share >= 0.5), -problem.limit, problem.limit)


class _OutputError:
    """The squared error of a layer's outputs, summed over its channels."""

    def __init__(self, problem: reconstruction.Problem) -> None:
        self._random = np.random.default_rng(0)
        self._low, self._high = _BOUNDS[problem.layer.activation]
        self._limit = problem.limit
        self._scale = problem.scale.astype(np.float32)
        self._bias = problem.bias.astype(np.float32)
        count = problem.layer.num_patches(problem.given)
        some = self._random.permutation(count)[:_MAX_PATCHES]
        self._given = problem.layer.patches(problem.given, some)
        exact = problem.layer.patches(problem.exact, some)
        outputs = exact @ problem.weights.astype(np.float32) + self._bias
        self._wanted = np.clip(outputs, self._low, self._high)

    def gradient(self, levels: np.ndarray) -> np.ndarray:
        """Returns that of some patches, by levels of shape (g, k, o)."""
        size = min(_BATCH_SIZE, self._given.shape[1])
        chosen = self._random.integers(self._given.shape[1], size=size)
        given = self._given[:, chosen]
        is_free = np.abs(levels) <= self._limit
        weights = self._scale * np.clip(levels, -self._limit, self._limit)
        outputs = given @ weights + self._bias
        passes = (outputs > self._low) & (outputs < self._high)
        clipped = np.clip(outputs, self._low, self._high)
        error = (clipped - self._wanted[:, chosen]) * passes
        slope: np.ndarray = given.swapaxes(1, 2) @ error
        return slope * (2 / size) * self._scale * is_free


class _Adam:
    """Values and the moments of their gradients."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self._mean, self._square = np.zeros_like(values), np.zeros_like(values)
        self._steps = 0

    def step(self, gradient: np.ndarray) -> None:
        """Moves the values."""
        self._steps += 1
        self._mean += (1 - _MOMENTUM) * (gradient - self._mean)
        self._square += (1 - _SQUARED_MOMENTUM) * (gradient**2 - self._square)
        mean = self._mean / (1 - _MOMENTUM**self._steps)
        square = self._square / (1 - _SQUARED_MOMENTUM**self._steps)
        self.values -= _LEARNING_RATE * mean / (np.sqrt(square) + _EPSILON)


def _soft(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns how far each weight is rounded up, and the slope of that."""
    sigmoid = 1 / (1 + np.exp(-values))
    stretched = _LOW + (_HIGH - _LOW) * sigmoid
    is_free = (stretched > 0) & (stretched < 1)
    slope = (_HIGH - _LOW) * sigmoid * (1 - sigmoid) * is_free
    return np.clip(stretched, 0, 1), slope


def _push(share: np.ndarray, done: float) -> np.ndarray:
    """Returns the regularizer's gradient, which drives shares to 0 or 1.

    Args:
        share: How far each weight is rounded up, in [0, 1].
        done: Fraction of the annealing that is over.
    """
    first, last = _EXPONENTS
    exponent = last + 0.5 * (first - last) * (1 + np.cos(done * np.pi))
    centred = 2 * share - 1
    steepness = exponent * np.abs(centred) ** (exponent - 1)
    return -2 * _REGULARIZATION * steepness * np.sign(centred)
