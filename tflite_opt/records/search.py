# SPDX-License-Identifier: Apache-2.0
"""What a search tried, what that gave, and what it ends with."""

import dataclasses
import json
import pathlib
from typing import Any, Literal

from tflite_opt.records import errors, files, serialization

Status = Literal["measured", "stopped", "failed"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits(serialization.Record):
    """What an artifact must keep to be of use.

    Attributes:
        max_accuracy_drop: Largest loss of the primary metric against float32.
        max_latency_ms: Largest median latency; None for any.
        max_bytes: Largest size; None for any.
        counts_gzip: Whether sizes are those after gzip, which is about what an
            app store sends, and not of the file.
    """

    max_accuracy_drop: float
    max_latency_ms: float | None = None
    max_bytes: int | None = None
    counts_gzip: bool = False

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a limit can never be met.
        """
        super().__post_init__()
        for name in ("max_latency_ms", "max_bytes"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise errors.InputError(
                    f"`{name}` must be positive. Received: {name}={value}"
                )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchDescription(serialization.Record):
    """What the trials of a search depend on; its records hold for no other.

    Attributes:
        model: Its name.
        model_key: Hash of its file and of how it is opened.
        data: Name of the data set.
        data_fingerprint: Hash of all its splits.
        runner: Who measures.
        limits: What the search looks for.
        seed: Of the proposals.
        batch_size: Trials that are proposed without knowing of each other.
        techniques: What recipes are made of.
        settings: Everything else, as JSON: fine-tuning, evaluation, runtime.
        versions: Package versions.
        measured: Folder with what recipes gave, which other searches share;
            None for that of the search.
    """

    model: str
    model_key: str
    data: str
    data_fingerprint: str
    runner: str
    limits: Limits
    seed: int
    batch_size: int
    techniques: tuple[str, ...]
    settings: str
    versions: dict[str, str]
    measured: pathlib.Path | None = None

    def measured_key(self) -> str:
        """Returns a hash of all that an outcome depends on.

        That is everything but what decides which recipes are proposed.
        """
        content = dataclasses.replace(
            self, model="", data="", seed=0, batch_size=1, techniques=()
        ).to_json()
        return files.sha256_of_text(json.dumps(content, sort_keys=True))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Proposal(serialization.Record):
    """A recipe to try.

    Attributes:
        number: Of the trial, from 0.
        parameters: What the sampler chose, by name.
        recipe: In `Recipe.to_json`'s form; its name tells it from all others.
    """

    number: int
    parameters: dict[str, str]
    recipe: dict[str, Any]

    @property
    def name(self) -> str:
        """The recipe's name."""
        return str(self.recipe["name"])

    @property
    def beginning(self) -> dict[str, Any] | None:
        """The first technique that trains; None if there is none."""
        steps = self.recipe["compress"]
        return dict(steps[0]) if steps else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome(serialization.Record):
    """What a recipe gave.

    Attributes:
        name: The recipe's.
        status: `stopped` if it was clear before the end that it breaks a
            limit; `failed` if there is no artifact.
        reason: Why it was stopped or failed, a sentence.
        excess: By limit, how far a stopped one is known to be beyond it: a
            fraction of the limit, or percentage points of accuracy.
        metric: On the validation split.
        drop: Loss of it against float32.
        size_bytes: Of the file.
        gzip_bytes: After gzip.
        macs: Of one inference; None where they depend on sizes left open.
        latency_ms: Median.
        times_faster: Than float32, whose launches were interleaved.
        seconds: That making and evaluating it took.
    """

    name: str
    status: Status
    reason: str = ""
    excess: dict[str, float] = dataclasses.field(default_factory=dict)
    metric: float | None = None
    drop: float | None = None
    size_bytes: int | None = None
    gzip_bytes: int | None = None
    macs: int | None = None
    latency_ms: float | None = None
    times_faster: float | None = None
    seconds: float = 0.0

    @property
    def awaits_latency(self) -> bool:
        """Whether there is an artifact that was not yet measured."""
        return self.status == "measured" and self.latency_ms is None


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchResult(serialization.Record):
    """What a search ends with.

    Attributes:
        front: Names of the recipes that nothing beats within the limits.
        chosen: The recommended one; None if nothing meets the limits.
        nearest: What came nearest to the limits, if nothing meets them.
        lost: Why each other one is not in the front, by name.
        num_trials: Trials it took.
    """

    front: tuple[str, ...]
    chosen: str | None
    nearest: str | None
    lost: dict[str, str]
    num_trials: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Baseline(serialization.Record):
    """The float32 variant that all trials are judged against.

    Attributes:
        outcome: Of `float32`.
        parameters: Stored elements of its weights and biases.
        trainable: Whether techniques that train can work on the model.
    """

    outcome: Outcome
    parameters: int
    trainable: bool
