# SPDX-License-Identifier: Apache-2.0
"""Which weights of a kernel become zero, and when."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Literal

from tflite_opt.records import errors, serialization

Schedule = Literal["polynomial", "constant"]
Criterion = Literal["magnitude", "taylor", "random"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pattern(serialization.Record):
    """How many weights of one kernel become zero, and where they may be.

    Attributes:
        final_sparsity: Fraction of zeros in [0, 1); 0 leaves the kernel dense.
            None if `n_of_m` says it.
        n_of_m: `(n, m)`: n zeros among each m consecutive weights of an
            output channel, in the order of TFLite, in which input channels
            follow each other. A rest of fewer than m stays dense.
        block_size: `(rows, columns)`: zeros come in blocks of so many input
            channels by so many output channels. Only for kernels of two
            dimensions and of 1x1 convolutions. None for single weights.
    """

    final_sparsity: float | None = None
    n_of_m: tuple[int, ...] | None = None
    block_size: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Checks the values and their combination.

        Raises:
            InputError: If a value is out of its range or contradicts another.
        """
        super().__post_init__()
        if (self.final_sparsity is None) == (self.n_of_m is None):
            raise errors.InputError(
                "Exactly one of `final_sparsity` and `n_of_m` must be given. "
                f"Received: final_sparsity={self.final_sparsity}, "
                f"n_of_m={self.n_of_m}"
            )
        if self.final_sparsity is not None:
            check_sparsity("final_sparsity", self.final_sparsity)
        if self.n_of_m is not None:
            self._check_n_of_m(self.n_of_m)
        if self.block_size is not None and (
            len(self.block_size) != 2 or min(self.block_size) < 1
        ):
            raise errors.InputError(
                "`block_size` must be two integers of at least 1, rows and "
                f"columns. Received: block_size={self.block_size}"
            )

    def _check_n_of_m(self, n_of_m: tuple[int, ...]) -> None:
        if len(n_of_m) != 2 or not 0 < n_of_m[0] < n_of_m[1]:
            raise errors.InputError(
                "`n_of_m` must be (n, m) with 0 < n < m: n zeros among m "
                f"weights. Received: n_of_m={n_of_m}"
            )
        if self.block_size is not None:
            raise errors.InputError(
                "`n_of_m` has no blocks. Received: "
                f"n_of_m={n_of_m}, block_size={self.block_size}"
            )

    @property
    def sparsity(self) -> float:
        """The fraction of zeros, however it was given."""
        if self.n_of_m is not None:
            return self.n_of_m[0] / self.n_of_m[1]
        return self.final_sparsity or 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing(serialization.Record):
    """When the zeros come.

    Attributes:
        schedule: `polynomial` brings more and more zeros from `begin` to
            `end`; `constant` brings all of them at `begin`.
        initial_sparsity: Of `polynomial`, at `begin`; in [0, 1).
        begin: Fraction of the training before the first zeros, in [0, 1).
        end: Fraction of the training after which no more come, in
            (`begin`, 1]. The rest recovers accuracy.
        frequency: Steps from one choice of the zeros to the next; None for a
            twentieth of the way from `begin` to `end`.
    """

    schedule: Schedule = "polynomial"
    initial_sparsity: float = 0.0
    begin: float = 0.0
    end: float = 0.5
    frequency: int | None = None

    def __post_init__(self) -> None:
        """Checks the values and their combination.

        Raises:
            InputError: If a value is out of its range or contradicts another.
        """
        super().__post_init__()
        check_sparsity("initial_sparsity", self.initial_sparsity)
        if not 0 <= self.begin < self.end <= 1:
            raise errors.InputError(
                "`begin` and `end` must be fractions of the training with "
                "0 <= begin < end <= 1. "
                f"Received: begin={self.begin}, end={self.end}"
            )
        if self.frequency is not None and self.frequency < 1:
            raise errors.InputError(
                "`frequency` must be at least 1 step. "
                f"Received: frequency={self.frequency}"
            )


def check_sparsity(name: str, value: float) -> None:
    """Refuses what is no fraction of zeros.

    Args:
        name: Of the field.
        value: Its value.

    Raises:
        InputError: If it is outside [0, 1).
    """
    if not 0 <= value < 1:
        way_out = f" Write {value / 100:g} for {value:g} %."
        raise errors.InputError(
            f"`{name}` must be a fraction in [0, 1). Received: {name}={value}."
            + (way_out if 1 < value < 100 else "")
        )


def patterns(
    layers: Mapping[str, Mapping[str, Any]],
) -> dict[str, Pattern]:
    """Returns the patterns of layers that are pruned in their own way.

    Args:
        layers: From regular expressions to fields of `Pattern`.

    Raises:
        InputError: If one is no regular expression, or a field is unknown or
            its value wrong.
    """
    header = {
        "record": Pattern.__name__,
        "schema_version": Pattern.schema_version,
    }
    found = {}
    for expression, content in layers.items():
        try:
            re.compile(expression)
            found[expression] = Pattern.from_json(header | dict(content))
        except (re.error, errors.InputError) as error:
            raise errors.InputError(
                "`layers` must have names or regular expressions of layers, "
                "and for each its own `final_sparsity`, `n_of_m` or "
                f"`block_size`. Received: {expression!r}: {content}. {error}"
            ) from error
    return found
