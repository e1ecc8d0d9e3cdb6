# SPDX-License-Identifier: Apache-2.0
"""How much of a model may be left when channels are removed."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, get_args

from tflite_opt.records import errors, serialization

Kind = Literal["channels", "macs", "parameters", "file_bytes", "latency"]
Ranking = Literal["global", "per_layer"]
Dtype = Literal["float32", "int8"]

# Those of which only a file can tell.
MEASURED: tuple[Kind, ...] = ("file_bytes", "latency")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Budget(serialization.Record):
    """A quantity, and the fraction of it that is left.

    Attributes:
        kind: `channels` that can be removed, `macs` or `parameters` of the
            Keras model, `file_bytes` of its `.tflite`, or its `latency`.
        fraction: Of what the whole model has, in (0, 1).
    """

    kind: Kind
    fraction: float

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If the fraction is none.
        """
        super().__post_init__()
        if not 0 < self.fraction < 1:
            way_out = f" Write {self.fraction / 100:g} for {self.fraction:g} %."
            raise errors.InputError(
                f"`{self.kind}` must be a fraction in (0, 1): what is left of "
                f"the model. Received: {self.kind}={self.fraction}."
                + (way_out if 1 < self.fraction < 100 else "")
            )

    def after(self, finished: int, rounds: int) -> "Budget":
        """Returns what is left after some of several rounds.

        Each round removes the same fraction of what is there.

        Args:
            finished: In [1, `rounds`].
            rounds: All of them.
        """
        if finished == rounds:
            return self
        return dataclasses.replace(
            self, fraction=self.fraction ** (finished / rounds)
        )


def only(given: Mapping[str, float | None]) -> Budget:
    """Returns the one budget that was given.

    Args:
        given: Fractions by kind.

    Raises:
        InputError: If none or several were given, or it is no fraction.
    """
    found = {k: x for k, x in given.items() if x is not None}
    if len(found) != 1:
        listed = ", ".join(f"{k}={x}" for k, x in found.items()) or "none"
        raise errors.InputError(
            f"Exactly one of {', '.join(get_args(Kind))} must be given. "
            f"Received: {listed}."
        )
    ((kind, fraction),) = found.items()
    return Budget.from_json(
        {
            "record": Budget.__name__,
            "schema_version": Budget.schema_version,
            "kind": kind,
            "fraction": fraction,
        }
    )
