# SPDX-License-Identifier: Apache-2.0
"""A converted variant, or why there is none."""

import dataclasses

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import compression, finding, serialization
from tflite_opt.records import facts as facts_record


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration(serialization.Record):
    """The representative data a conversion looked at.

    Attributes:
        dataset: Name of the data set; the split is always `calibration`.
        num_samples: How many.
        seed: Of the choice of samples.
        sha256: Of the samples.
    """

    dataset: str
    num_samples: int
    seed: int
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant(serialization.Record):
    """One verified `.tflite`.

    Attributes:
        artifact: The file; its name is the recipe's.
        facts: Read from the file.
        backend: What made it.
        technique: The techniques with their fields, in order.
        calibration: None for techniques that look at no data.
        resolvers: Builtin kernels against the default delegate.
        findings: What the linter says about the file.
        compressed: The Keras model it comes from; None if nothing was trained.
        kept: What was promised of its weights, measured on the file.
        keras_agreement: Fraction of equal predictions with that Keras model,
            on validation examples; None where it predicts no class.
        notes: What calibration, preparations and refinements did, one
            sentence each.
    """

    artifact: artifact_record.Artifact
    facts: facts_record.ModelFacts
    backend: str
    technique: str
    calibration: Calibration | None
    resolvers: facts_record.ResolverCheck
    findings: tuple[finding.Finding, ...]
    compressed: compression.CompressedModel | None = None
    kept: tuple[compression.KeptPromise, ...] = ()
    keras_agreement: float | None = None
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure(serialization.Record):
    """A recipe that gave no artifact.

    Attributes:
        model: The model that was converted.
        name: The recipe.
        technique: The technique at fault, with its fields.
        message: What went wrong.
        remedy: What to do; may be empty.
    """

    model: str
    name: str
    technique: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"{self.name}: {self.technique} failed on {self.model}: "
            f"{self.message} {self.remedy}".strip()
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conversion(serialization.Record):
    """What became of all recipes of a run.

    Attributes:
        names: Recipes that gave a variant, in the order asked for.
        failures: The others.
    """

    names: tuple[str, ...]
    failures: tuple[Failure, ...]
