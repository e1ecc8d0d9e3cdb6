# SPDX-License-Identifier: Apache-2.0
"""Climbs the ladder: tries rung after rung until the target is met.

A rung counts only if it brings the model closer to its float parent on
calibration examples that it was not fitted to. The target is judged on the
validation split; the test split is never looked at here.
"""

import dataclasses
import logging
import pathlib
import shutil
from collections.abc import Iterator

from tflite_opt import stages
from tflite_opt.conversion import job
from tflite_opt.ladder import request as request_lib
from tflite_opt.ladder import rungs, targets, trial
from tflite_opt.post_training import sensitivity
from tflite_opt.records import (
    errors,
    ladder,
    model_spec,
    run_directory,
    variants,
)
from tflite_opt.records import golden as golden_record
from tflite_opt.report import build

_LOG = logging.getLogger(__name__)
# Each costs a second or two for every rung.
_LAUNCHES = 3


def make_variants(
    wanted: request_lib.Ladders,
    request: request_lib.Request,
    run: run_directory.RunDirectory,
) -> list[variants.Variant]:
    """Climbs each ladder.

    Args:
        wanted: Which ones, and until when.
        request: What to climb with.
        run: With the variant `float32`; gets rungs, ladders and variants.

    Raises:
        ConversionError: If no rung can be made.
        DataError: If there are too few calibration samples to judge by.
    """
    return [climb(name, wanted, request, run) for name in wanted.names]


def climb(
    name: str,
    wanted: request_lib.Ladders,
    request: request_lib.Request,
    run: run_directory.RunDirectory,
) -> variants.Variant:
    """Makes the variant of one automatic recipe; see `make_variants`."""
    layout, places = job.Layout(root=run.root), build.RunRecords(run)
    conversion = request.conversion
    inputs = {
        "model": conversion.model.identity(),
        "data": conversion.data_fingerprint,
        "target": wanted.target.to_json(),
        "metric": request.evaluation.metric,
        "fine_tuning": request.fine_tuning.to_json(),
        "may_train": wanted.may_train,
        "left_out": list(wanted.left_out),
        "slim": wanted.slim,
        "runner": request.runner.identity if request.runner else None,
        "versions": run_directory.package_versions(),
    }
    stage = f"ladder/{name}"
    if not run.is_done(stage, inputs):
        found = _Climb(name, wanted, request, run).climb()
        found.save(places.ladder(name), run.root)
        _publish(found, layout)
        run.finish(
            stage,
            inputs,
            [places.ladder(name), layout.artifact(name), layout.variant(name)],
        )
    _list(name, places)
    return variants.Variant.load(layout.variant(name), run.root)


def _publish(found: ladder.Ladder, layout: job.Layout) -> None:
    """Writes the chosen rung as the variant of the recipe."""
    chosen = f"{found.name}.{found.chosen}"
    variant = variants.Variant.load(layout.variant(chosen), layout.root)
    path = layout.artifact(found.name)
    shutil.copyfile(variant.artifact.path, path)
    for source, destination in (
        (
            golden_record.path_beside(variant.artifact.path),
            golden_record.path_beside(path),
        ),
        (layout.tensor_errors(chosen), layout.tensor_errors(found.name)),
    ):
        destination.unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, destination)
    dataclasses.replace(
        variant,
        artifact=dataclasses.replace(
            variant.artifact, name=found.name, path=path
        ),
        notes=(*variant.notes, found.reason),
    ).save(layout.variant(found.name), layout.root)


def _list(name: str, places: build.RunRecords) -> None:
    """Adds the variant to those of the run."""
    root = places.run.root
    listed = variants.Conversion.load(places.conversion, root)
    if name not in listed.names:
        dataclasses.replace(listed, names=(*listed.names, name)).save(
            places.conversion, root
        )


class _Climb:
    """One climb."""

    def __init__(
        self,
        name: str,
        wanted: request_lib.Ladders,
        request: request_lib.Request,
        run: run_directory.RunDirectory,
    ) -> None:
        self._name, self._wanted = name, wanted
        self._request, self._run = request, run
        self._trials = trial.Trials(name, wanted, request, run)
        self._steps = rungs.Steps()
        self._best: ladder.Rung | None = None

    def climb(self) -> ladder.Ladder:
        """Tries rungs until one meets the target."""
        done: list[ladder.Rung] = []
        for candidate in self._candidates():
            if candidate.name in self._wanted.left_out:
                continue
            rung = self._trials.make(candidate, self._steps, self._best)
            done.append(rung)
            _LOG.info("%s: %s %s", self._name, rung.name, rung.reason)
            if rung.outcome != "taken":
                continue
            self._steps, self._best = candidate.add(self._steps), rung
            if self._is_enough(rung):
                break
        if self._best is None:
            raise errors.ConversionError(done[0].reason)
        chosen, reason = self._choose(done)
        return ladder.Ladder(
            name=self._name,
            target=self._wanted.target,
            rungs=tuple(self._timed(done)),
            chosen=chosen.name,
            verdict=chosen.verdict or "missed",
            reason=reason,
        )

    def _candidates(self) -> Iterator[rungs.Candidate]:
        yield from rungs.without_training()
        opened = model_spec.OpenedModel.load(
            job.Layout(root=self._run.root).opened, self._run.root
        )
        try:
            found = sensitivity.scan(
                self._parent(), self._trials.fitting, opened.layers
            )
        except errors.ModelError as error:
            _LOG.warning("%s: no operations in float: %s", self._name, error)
        else:
            yield from rungs.in_float(found)
        if self._wanted.may_train:
            yield rungs.training()

    def _parent(self) -> pathlib.Path:
        """Returns the float model that the last rung was quantized from."""
        if self._best is None or not self._steps.prepare:
            return self._trials.parent
        # What equalization has repaired already costs nothing any more.
        return job.Layout(root=self._run.root).prepared(
            f"{self._name}.{self._best.name}", len(self._steps.prepare) - 1
        )

    def _is_enough(self, rung: ladder.Rung) -> bool:
        target = self._wanted.target
        return rung.verdict == "met" or (
            rung.verdict == "not provable"
            and targets.is_estimated(target, rung)
            and not targets.is_provable(target, rung)
        )

    def _choose(self, done: list[ladder.Rung]) -> tuple[ladder.Rung, str]:
        target = self._wanted.target
        taken = [rung for rung in done if rung.outcome == "taken"]
        if taken[-1].verdict == "met":
            return taken[-1], f"{taken[-1].name} meets the target: {target}."
        near = [rung for rung in taken if targets.is_estimated(target, rung)]
        if near:
            return near[0], (
                f"{near[0].name} is the first whose estimate meets the "
                f"target, {target}; too few validation examples to prove it."
            )
        nearest = targets.nearest(target, taken)
        return nearest, (
            f"No rung meets the target, {target}; {nearest.name} misses it "
            "least."
        )

    def _timed(self, done: list[ladder.Rung]) -> Iterator[ladder.Rung]:
        """Yields rungs with their latencies, measured together."""
        made = [rung.artifact for rung in done if rung.artifact]
        found: dict[str, float | None] = {}
        if self._request.runner is not None:
            found = {
                result.artifact.name: result.latency.median_ms
                for result in stages.measure(
                    made,
                    self._request.runner,
                    dataclasses.replace(
                        self._request.runtime, launches=_LAUNCHES
                    ),
                    self._run,
                    folder="ladder/",
                )
            }
        for rung in done:
            name = rung.artifact.name if rung.artifact else ""
            yield dataclasses.replace(rung, median_ms=found.get(name))
