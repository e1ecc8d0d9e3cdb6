# SPDX-License-Identifier: Apache-2.0
"""What there is to say about representative data before converting."""

import dataclasses

from tflite_opt.records import finding, serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class ValueStatistics(serialization.Record):
    """All values of one input over some samples.

    Attributes:
        num_samples: How many samples were looked at.
        minimum: Smallest value.
        maximum: Largest value.
        mean: Of all values.
        std: Standard deviation of all values.
    """

    num_samples: int
    minimum: float
    maximum: float
    mean: float
    std: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputCheck(serialization.Record):
    """Representative samples of one input.

    Attributes:
        name: Of the model's input.
        shape: Of one sample.
        dtype: numpy's name.
        values: Of all representative samples.
        train: Of a part of the train split.
        outside_train_range: Fraction of the values outside the range of
            `train`.
        constant_samples: How many have one value throughout.
        zero_samples: How many of them are all zero.
        duplicate_samples: How many equal an earlier sample.
        num_channels: Size of the last dimension.
        dead_channels: How many channels never change, though they do in
            `train`.
        structure: How much of the train split's linear structure the samples
            have: about 1 for data like train, about 0 for white noise. None
            where train has too little to tell, or there are too few samples.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    values: ValueStatistics
    train: ValueStatistics
    outside_train_range: float
    constant_samples: int
    zero_samples: int
    duplicate_samples: int
    num_channels: int
    dead_channels: int
    structure: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataCheck(serialization.Record):
    """Representative data against the train split and the model.

    Attributes:
        num_samples: Number of representative samples.
        num_classes: Classes in the train split; None without class labels.
        classes_covered: How many of them the samples cover; None likewise.
        inputs: Those that fit the model, in its order.
        findings: Errors first, then warnings and notes.
    """

    num_samples: int
    num_classes: int | None
    classes_covered: int | None
    inputs: tuple[InputCheck, ...]
    findings: tuple[finding.Finding, ...]

    @property
    def warnings(self) -> tuple[finding.Finding, ...]:
        """The findings that are warnings."""
        return tuple(x for x in self.findings if x.severity == "warning")
