# SPDX-License-Identifier: Apache-2.0
"""Judges the models of a run by a budget.

Latency is compared with a baseline only where both were measured in turns:
a machine of another session, above all in hosted CI, is another machine.
"""

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping

from tflite_opt.comparison import (
    absolute_rules,
    budget,
    relative_rules,
    stored,
)
from tflite_opt.records import artifact, errors, files, gate


@dataclasses.dataclass(frozen=True, kw_only=True)
class Baseline:
    """What the models are compared with; each part may be absent.

    Attributes:
        models: Evidence of an earlier run, by model.
        artifacts: Files to measure again, by model.
    """

    models: Mapping[str, stored.Evidence] | None = None
    artifacts: Mapping[str, artifact.Artifact] | None = None

    def of(self, name: str) -> stored.Evidence | None:
        """Returns what is known of a model: an earlier run, else its file."""
        if self.models is not None:
            return self.models.get(name)
        file = (self.artifacts or {}).get(name)
        return stored.Evidence(artifact=file) if file else None


def read_artifacts(folder: pathlib.Path) -> dict[str, artifact.Artifact]:
    """Returns the `.tflite` files in a folder, by model.

    Raises:
        InputError: If there are none.
    """
    paths = sorted(folder.glob("*.tflite"))
    if not paths:
        raise errors.InputError(
            "`baseline_artifacts` must be a folder with .tflite files. "
            f"Received: baseline_artifacts={str(folder)!r}."
        )
    return {
        path.stem: artifact.describe(
            path, format="tflite", name=baseline_name(path.stem)
        )
        for path in paths
    }


def baseline_name(name: str) -> str:
    """Returns what a baseline is called beside its candidate."""
    return f"{name}.baseline"


def check(
    rules: budget.Budget,
    results: Mapping[str, stored.Evidence],
    baseline: Baseline,
) -> None:
    """Refuses a budget that the results cannot be judged by.

    Raises:
        InputError: If it names a model that is not there, or needs a
            baseline that was not given.
    """
    unknown = [
        name
        for name in rules.models
        if name != budget.EVERY_MODEL and name not in results
    ]
    if unknown:
        raise errors.InputError(
            "A budget must be for models of the results. "
            f"Received: {unknown[0]!r}. Known: {', '.join(results)}."
        )
    has_stored = baseline.models is not None
    has_files = baseline.artifacts is not None
    for rule, is_there, flag in (
        ("latency", has_files, "--baseline_artifacts=DIR, with .tflite files"),
        ("accuracy", has_stored, "--baseline=RUN"),
        ("size", has_stored or has_files, "--baseline=RUN"),
    ):
        if rules.has_relative(rule) and not is_there:
            raise errors.InputError(
                f"The rule 'relative.{rule}' needs {flag}. Received: none."
            )


def to_measure(
    rules: budget.Budget,
    results: Mapping[str, stored.Evidence],
    baseline: Baseline,
) -> list[artifact.Artifact]:
    """Returns the files that relative latencies need, baselines first.

    Raises:
        InputError: If the file of a candidate is gone or was changed.
    """
    found = []
    for name, item in results.items():
        file = (baseline.artifacts or {}).get(name)
        if file is None or not _latency_limits(rules, name):
            continue
        path = item.artifact.path
        if not path.is_file() or (
            files.sha256_of_file(path) != item.artifact.sha256
        ):
            raise errors.InputError(
                "The files of the results must be there to be measured beside "
                f"the baseline's. Received: {str(path)!r}, which is gone or "
                "was changed."
            )
        found += [file, item.artifact]
    return found


def _latency_limits(rules: budget.Budget, name: str) -> list[budget.Limits]:
    return [x for x in rules.of(name) if x.relative.latency is not None]


def judge(
    rules: budget.Budget,
    results: Mapping[str, stored.Evidence],
    baseline: Baseline,
    measured: Mapping[str, stored.Evidence],
) -> gate.GateResult:
    """Judges all models.

    Args:
        rules: The budget.
        results: The models, by name.
        baseline: What `check` found enough.
        measured: What became of `to_measure`, by artifact name.

    Raises:
        InputError: If a rule asks for what was not measured or evaluated.
        DataError: If predictions do not belong together.
    """
    judged: list[gate.RuleResult] = []
    models, limits = [], []
    for name, found in results.items():
        for item in rules.of(name):
            judged += absolute_rules.judge(found, item)
            judged += _relative(found, baseline.of(name), item.relative)
        for item in _latency_limits(rules, name):
            models.append(found)
            limits.append(item)
    pairs = {
        name: (
            _outcome(measured[baseline_name(name)]),
            _outcome(measured[name]),
        )
        for name in results
        if baseline_name(name) in measured
    }
    judged += relative_rules.latency(models, limits, pairs)
    devices = dict.fromkeys(
        one.device.model
        for found in (*results.values(), *measured.values())
        for one in found.results
    )
    return gate.GateResult(rules=tuple(judged), device=", ".join(devices))


def _relative(
    found: stored.Evidence,
    baseline: stored.Evidence | None,
    limits: budget.Relative,
) -> Iterator[gate.RuleResult]:
    if limits.size is not None:
        yield relative_rules.size(found, baseline, limits.size)
    if limits.accuracy is not None:
        yield relative_rules.loss(found, baseline, limits.accuracy)


def _outcome(found: stored.Evidence) -> relative_rules.Measured:
    outcome = found.result or found.failure
    if outcome is None:
        raise errors.BenchmarkError(
            f"{found.artifact.name!r} was not measured. Run the gate again."
        )
    return outcome
