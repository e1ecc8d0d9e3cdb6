# SPDX-License-Identifier: Apache-2.0
"""Makes a rung and judges it."""

import dataclasses
import pathlib
import time

from tflite_opt import stages
from tflite_opt.conversion import job
from tflite_opt.data import representative
from tflite_opt.ladder import request as request_lib
from tflite_opt.ladder import rungs, targets
from tflite_opt.post_training import acceptance
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import (
    errors,
    ladder,
    run_directory,
    tensor_errors,
    variants,
)
from tflite_opt.report import build
from tflite_opt.tflite import facts as facts_reader


class Trials:
    """What all rungs of a ladder share.

    Attributes:
        baseline: The variant `float32`.
        parent: The float `.tflite`.
        fitting: Calibration data that a rung may be fitted to.
        held_out: Those that it is judged by.
    """

    def __init__(
        self,
        name: str,
        wanted: request_lib.Ladders,
        request: request_lib.Request,
        run: run_directory.RunDirectory,
    ) -> None:
        """Takes what the run has.

        Args:
            name: Of the ladder.
            wanted: With a target.
            request: What to climb with.
            run: With the variant `float32`.

        Raises:
            DataError: If there are too few calibration samples to judge by.
        """
        self._name, self._wanted = name, wanted
        self._request, self._run = request, run
        self._layout = job.Layout(root=run.root)
        self.parent = self._layout.float_model
        self.baseline = variants.Variant.load(
            self._layout.variant("float32"), run.root
        ).artifact
        facts = facts_reader.read_facts(self.parent, delegation=False)
        samples = representative.representative_samples(
            request.dataset["calibration"], facts.signatures[0].inputs
        )
        self.fitting, self.held_out = acceptance.split(samples)

    def make(
        self,
        candidate: rungs.Candidate,
        steps: rungs.Steps,
        best: ladder.Rung | None,
    ) -> ladder.Rung:
        """Makes a rung from the float model, and judges it.

        Args:
            candidate: What is new.
            steps: Of the rungs that were taken.
            best: The last of those; None for the first rung.
        """
        started = time.perf_counter()
        recipe = candidate.add(steps).recipe(
            f"{self._name}.{candidate.name}", slim=self._wanted.slim
        )
        found, failures = stages.compress_and_convert(
            dataclasses.replace(self._request.conversion, recipes=[recipe]),
            self._request.fine_tuning,
            self._run,
        )
        rung = ladder.Rung(
            name=candidate.name,
            recipe=recipe.to_json(),
            outcome="failed",
            reason=failures[0].message if failures else "",
            seconds=0.0,
        )
        if found:
            rung = self._measured(rung, found[0].artifact)
            rung = self._compared(rung, best, candidate.trains)
        return dataclasses.replace(rung, seconds=time.perf_counter() - started)

    def _measured(
        self, rung: ladder.Rung, artifact: artifact_record.Artifact
    ) -> ladder.Rung:
        """Returns a rung with what its file does by itself."""
        evaluated = stages.evaluate(
            [self.baseline, artifact],
            self._request.dataset,
            "validation",
            self._request.evaluation,
            self._run,
            self._layout.original_outputs("validation"),
        )[-1]
        places = build.RunRecords(self._run)
        errors_of_tensors = places.optional(
            tensor_errors.TensorErrors, places.tensor_errors(artifact.name)
        )
        return dataclasses.replace(
            rung,
            artifact=artifact,
            drop=evaluated.drop,
            validation_agreement=evaluated.agreement,
            snr_db=(
                errors_of_tensors.tensors[-1].snr_db
                if errors_of_tensors
                else None
            ),
        )

    def _compared(
        self, rung: ladder.Rung, best: ladder.Rung | None, trains: bool
    ) -> ladder.Rung:
        """Returns a rung with whether it is better than the best one."""
        path = _path(rung)
        is_better, reason = best is None, "The start."
        try:
            judgement = acceptance.judge(
                self.parent,
                _path(best) if best else path,
                path,
                self.held_out,
            )
        except errors.ModelError as error:
            if best is not None:
                reason = f"Not to be judged: {error}"
        else:
            rung = dataclasses.replace(
                rung,
                divergence=judgement.after.divergence,
                agreement=judgement.after.agreement,
            )
            if best is not None:
                is_better = judgement.is_better
                reason = judgement.describe(rung.name)
        if best is not None and trains:
            is_better, reason = _is_more_accurate(rung, best)
        rung = dataclasses.replace(
            rung,
            outcome="taken" if is_better else "left out",
            reason=reason,
        )
        verdict = targets.verdict(self._wanted.target, rung)
        return dataclasses.replace(rung, verdict=verdict)


def _path(rung: ladder.Rung) -> pathlib.Path:
    if rung.artifact is None:
        raise ValueError(f"{rung.name} has no file.")
    return rung.artifact.path


def _is_more_accurate(rung: ladder.Rung, best: ladder.Rung) -> tuple[bool, str]:
    """Judges a rung with other float weights: by its loss alone."""
    if rung.drop is None or best.drop is None:
        return False, "Not to be judged without a metric."
    is_better = rung.drop.value < best.drop.value
    return is_better, (
        f"{rung.name} {'kept' if is_better else 'left out'}: a loss of "
        f"{best.drop.value:.2%} without it, {rung.drop.value:.2%} with it, on "
        f"{rung.drop.num_examples} validation examples."
    )
