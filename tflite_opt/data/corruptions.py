# SPDX-License-Identifier: Apache-2.0
"""Shifted data: noise, blur, brightness and contrast in five severities.

A quantized model may lose more than its float original where data are not as
in the test split. Corruptions are those of a benchmark; they are applied batch
by batch, and an example's depends on its id and the seed only.

With `c` the benchmark's constant for the severity, `[low, high]` the range of
a channel over the split, `r = high - low` and `mean` that of one image's
channel, an image `x` becomes

    noise       x + c r n, n standard normal
    blur        a Gaussian filter of c pixels
    brightness  x + c r; the benchmark adds to HSV's value, which only RGB has
    contrast    (x - mean) c + mean

and is cut off at `[low, high]`. Since `r` is each channel's own, a corruption
of preprocessed pixels is that of the pixels themselves. Other floating inputs
take noise only, with the range of their last dimension and no cut-off.

References:
    Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common
    Corruptions and Perturbations", 2019. https://arxiv.org/abs/1903.12261
    Constants of ImageNet-C and CIFAR-10-C:
    https://github.com/hendrycks/robustness
"""

import dataclasses
import json
from typing import Any

import numpy as np

from tflite_opt.data import dataset, sample_statistics
from tflite_opt.records import errors, files, serialization

NAMES = ("noise", "blur", "brightness", "contrast")
SEVERITIES = (1, 2, 3, 4, 5)

# By severity: CIFAR-10-C's for images of 32x32, ImageNet-C's for 224x224.
_SMALL = {
    "noise": (0.04, 0.06, 0.08, 0.09, 0.10),
    "blur": (0.4, 0.6, 0.7, 0.8, 1.0),
    "brightness": (0.05, 0.1, 0.15, 0.2, 0.3),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
}
_LARGE = {
    "noise": (0.08, 0.12, 0.18, 0.26, 0.38),
    "blur": (1.0, 2.0, 3.0, 4.0, 6.0),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": (0.4, 0.3, 0.2, 0.1, 0.05),
}
_MAX_SMALL_SIDE = 64
_LARGE_SIDE = 224
# Examples that the range is taken from.
_MAX_RANGE_SAMPLES = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Corruption(serialization.Record):
    """One kind of shift.

    Attributes:
        name: One of `NAMES`.
        severity: From 1 to 5.
        seed: Of the noise; not negative.
    """

    name: str
    severity: int
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InputError: If one is none of those that exist.
        """
        super().__post_init__()
        if self.name not in NAMES:
            raise errors.InputError(
                f"A corruption must be one of {', '.join(NAMES)}. "
                f"Received: {self.name!r}"
            )
        if self.severity not in SEVERITIES or self.seed < 0:
            raise errors.InputError(
                "The severity of a corruption must be from 1 to 5 and its seed "
                f"at least 0. Received: severity={self.severity}, "
                f"seed={self.seed}"
            )

    def strength(self, shape: tuple[int, ...]) -> float:
        """Returns the benchmark's constant for examples of a shape.

        Args:
            shape: Of one example; `(height, width, channels)` for an image.
        """
        side = min(shape[:2]) if len(shape) == 3 else 0
        table = _SMALL if side <= _MAX_SMALL_SIDE else _LARGE
        constant = table[self.name][self.severity - 1]
        if self.name == "blur" and table is _LARGE:
            return constant * side / _LARGE_SIDE
        return constant


def corrupt(split: dataset.Split, corruption: Corruption) -> dataset.Split:
    """Returns a split whose floating inputs are corrupted on access.

    Args:
        split: The clean examples; at most 1000 of them are looked at here,
            for their range.
        corruption: Blur, brightness and contrast change the inputs that are
            images, `(n, height, width, channels)`; noise every floating one.

    Returns:
        The same labels and ids; called e.g. `test-noise3`, with a fingerprint
        of its own.

    Raises:
        DataError: If no input can be corrupted so, or one is not finite.
    """
    inputs: dict[str, Any] = dict(split.inputs)
    for stream, (name, examples) in enumerate(sorted(split.inputs.items())):
        if _can_corrupt(examples, corruption):
            inputs[name] = CorruptedExamples(split, name, corruption, stream)
    if all(inputs[name] is x for name, x in split.inputs.items()):
        kind = (
            "a floating input"
            if corruption.name == "noise"
            else "images, a floating input (n, height, width, channels)"
        )
        shapes = {name: (x.shape, x.dtype.name) for name, x in inputs.items()}
        raise errors.DataError(
            f"The corruption {corruption.name!r} needs {kind}. "
            f"Received: inputs={shapes}"
        )
    return dataclasses.replace(
        split,
        name=f"{split.name}-{corruption.name}{corruption.severity}",
        inputs=inputs,
    )


def _can_corrupt(examples: Any, corruption: Corruption) -> bool:
    is_image = len(examples.shape) == 4
    return examples.dtype.kind == "f" and (
        is_image or corruption.name == "noise"
    )


class CorruptedExamples:
    """One input of a split, corrupted on access.

    Attributes:
        shape: That of the clean examples.
        dtype: Likewise.
    """

    def __init__(
        self,
        split: dataset.Split,
        name: str,
        corruption: Corruption,
        stream: int,
    ) -> None:
        """Looks at the range of the clean examples.

        Args:
            split: The clean examples.
            name: Of the input.
            corruption: What to do.
            stream: Which independent noise of the seed.
        """
        self._clean = split.inputs[name]
        self._ids = split.ids
        self._corruption = corruption
        self._stream = stream
        self._origin = f"{split.fingerprint()}/{name}"
        self.shape = self._clean.shape
        self.dtype = self._clean.dtype
        rows = sample_statistics.seeded_rows(len(split), _MAX_RANGE_SAMPLES)
        found = sample_statistics.summarize(self._clean, rows, name)
        self._low, self._high = found.lowest, found.highest

    def __len__(self) -> int:
        """Number of examples."""
        return len(self._ids)

    def __getitem__(self, chosen: slice | np.ndarray) -> np.ndarray:
        """Returns the examples of a slice or at int64 positions."""
        clean, ids = self._clean[chosen], self._ids[chosen]
        shape = self.shape[1:]
        strength = self._corruption.strength(shape)
        shift = strength * (self._high - self._low)
        match self._corruption.name:
            case "noise":
                changed = clean + shift * self._noise(ids, shape)
            case "blur":
                # Importing scipy.ndimage takes a moment.
                from scipy import ndimage

                sigma = (0, strength, strength, 0)
                changed = ndimage.gaussian_filter(clean, sigma, mode="nearest")
            case "brightness":
                changed = clean + shift
            case _:
                mean = clean.mean(axis=(1, 2), keepdims=True)
                changed = (clean - mean) * strength + mean
        if len(shape) == 3:
            changed = np.clip(changed, self._low, self._high)
        return changed.astype(self.dtype)

    def _noise(self, ids: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        noise = np.empty((len(ids), *shape), np.float32)
        for row, example in zip(noise, ids, strict=True):
            generator = np.random.default_rng(
                [self._corruption.seed, self._stream, int(example)]
            )
            row[...] = generator.standard_normal(shape, np.float32)
        return noise

    def fingerprint(self) -> str:
        """Returns a hash of the clean split, the input and the corruption."""
        options = json.dumps(self._corruption.to_json(), sort_keys=True)
        return files.sha256_of_text(f"{self._origin} {options}")
