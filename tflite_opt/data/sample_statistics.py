# SPDX-License-Identifier: Apache-2.0
"""Numbers about the samples of one input, collected batch by batch.

Says what the numbers are; what to think of them is `doctor`'s business.
"""

import dataclasses
import hashlib
from typing import Any

import numpy as np

from tflite_opt.records import data_check, errors

_BATCH_SIZE = 64
# Values of each sample that the structure is judged by.
_MAX_POSITIONS = 256
# Directions that hold this share of the variance are the structure.
_STRUCTURE_SHARE = 0.9
# Values of train are cut off here: a few huge ones are no structure.
_PERCENTILES = (1, 99)
_MIN_SAMPLES = 20
# Structure that takes so large a part of all directions says nothing.
_MAX_DIRECTIONS_FRACTION = 0.75
# Train samples for each direction that they are to show.
_MIN_SAMPLES_PER_DIRECTION = 4


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Summary:
    """Some samples of one input.

    Attributes:
        values: Range, mean and deviation.
        lowest: Shape `(channels,)`, float64: smallest value of each channel.
        highest: Likewise, the largest.
        constant_samples: How many have one value throughout.
        zero_samples: How many of them are all zero.
        duplicate_samples: How many equal an earlier one.
        picked: Shape `(n, at most 256)`, float64: the same positions of each
            sample.
    """

    values: data_check.ValueStatistics
    lowest: np.ndarray
    highest: np.ndarray
    constant_samples: int
    zero_samples: int
    duplicate_samples: int
    picked: np.ndarray

    @property
    def channel_changes(self) -> np.ndarray:
        """Whether a channel has more than one value; `(channels,)`, bool."""
        return self.highest > self.lowest


def seeded_rows(count: int, most: int) -> np.ndarray:
    """Returns at most `most` of `count` rows, ascending, always the same."""
    generator = np.random.default_rng(0)
    return np.sort(generator.choice(count, min(count, most), replace=False))


def summarize(examples: Any, rows: np.ndarray, name: str) -> Summary:
    """Looks at some examples of an input.

    Args:
        examples: Shape `(n, ...)`, an array or one that decodes on access.
            Never asked for more than a batch.
        rows: Which of them, int64, ascending.
        name: Of the input, for the error.

    Raises:
        DataError: If there is NaN or infinity among them.
    """
    size = int(np.prod(examples.shape[1:]))
    # Random ones: a regular step could keep to one column of an image.
    positions = seeded_rows(size, _MAX_POSITIONS)
    counter = _Counter()
    picked = []
    for begin in range(0, len(rows), _BATCH_SIZE):
        batch = np.asarray(examples[rows[begin : begin + _BATCH_SIZE]])
        if not np.isfinite(batch).all():
            raise errors.DataError(
                f"Examples of the input {name!r} must be finite. "
                "Received: NaN or infinity"
            )
        counter.add(batch)
        picked.append(batch.reshape(len(batch), size)[:, positions])
    return Summary(
        values=counter.values(),
        lowest=counter.lowest,
        highest=counter.highest,
        constant_samples=counter.constant,
        zero_samples=counter.zero,
        duplicate_samples=counter.count - len(counter.digests),
        picked=np.concatenate(picked).astype(np.float64),
    )


class _Counter:
    """Running sums over batches."""

    def __init__(self) -> None:
        self.count = self.num_values = self.constant = self.zero = 0
        self.digests: set[bytes] = set()
        self.lowest: np.ndarray = np.array(np.inf)
        self.highest: np.ndarray = np.array(-np.inf)
        self._sum = self._squares = 0.0

    def add(self, batch: np.ndarray) -> None:
        rows = batch.reshape(len(batch), -1).astype(np.float64)
        channels = rows.reshape(-1, batch.shape[-1] if batch.ndim > 1 else 1)
        self.count += len(rows)
        self.num_values += rows.size
        constant = rows.min(axis=1) == rows.max(axis=1)
        self.constant += int(constant.sum())
        self.zero += int((constant & (rows[:, 0] == 0)).sum())
        self.digests |= {hashlib.sha256(x).digest() for x in rows}
        self.lowest = np.minimum(self.lowest, channels.min(axis=0))
        self.highest = np.maximum(self.highest, channels.max(axis=0))
        self._sum += float(rows.sum())
        self._squares += float(np.square(rows).sum())

    def values(self) -> data_check.ValueStatistics:
        mean = self._sum / self.num_values
        variance = self._squares / self.num_values - mean**2
        return data_check.ValueStatistics(
            num_samples=self.count,
            minimum=float(self.lowest.min()),
            maximum=float(self.highest.max()),
            mean=mean,
            # Rounding may leave a little less than nothing.
            std=max(variance, 0.0) ** 0.5,
        )


def structure(samples: np.ndarray, train: np.ndarray) -> float | None:
    """Returns how much of train's linear structure some samples have.

    Real data vary in few directions: neighbouring pixels, or features that
    belong together, go up and down together. The principal directions that
    hold 90 % of train's variance hold about as much of the variance of other
    real samples, but of white noise only their part of all directions. Each
    position is cut off at train's 1st and 99th percentile and scaled to its
    deviation first, so that neither a few huge values nor one large feature
    decides.

    Args:
        samples: Shape `(n, d)`.
        train: Shape `(m, d)`, the same positions.

    Returns:
        1 for samples like train, 0 for white noise, in between for a mixture;
        None if train has no structure to compare with, or there are too few
        samples.
    """
    low, high = np.percentile(train, _PERCENTILES, axis=0)
    train, samples = np.clip(train, low, high), np.clip(samples, low, high)
    deviation = train.std(axis=0)
    changing = deviation > 0
    if len(samples) < _MIN_SAMPLES or not changing.any():
        return None
    train = train[:, changing] / deviation[changing]
    samples = samples[:, changing] / deviation[changing]
    train -= train.mean(axis=0)
    samples -= samples.mean(axis=0)
    variances, directions = np.linalg.eigh(train.T @ train)
    shares = np.cumsum(variances[::-1]) / variances.sum()
    count = int(np.searchsorted(shares, _STRUCTURE_SHARE)) + 1
    chance = count / len(shares)
    total = np.square(samples).sum()
    if (
        chance > _MAX_DIRECTIONS_FRACTION
        or len(train) < count * _MIN_SAMPLES_PER_DIRECTION
        or not total
    ):
        return None
    main = directions[:, ::-1][:, :count]
    share = np.square(samples @ main).sum() / total
    return float((share - chance) / (shares[count - 1] - chance))
