# SPDX-License-Identifier: Apache-2.0
"""The child process that freezes one model and converts it many times.

Run as `python -m tflite_opt.conversion.worker JOB.json EVENT_FD`. It reports
one JSON object for each step on the file descriptor; what libraries print
goes to the log that the parent opened. A crash here costs one variant.
"""

import json
import logging
import os
import pathlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tflite_opt import child_process
from tflite_opt import recipe as recipe_lib
from tflite_opt.conversion import context as context_lib
from tflite_opt.conversion import freeze, making, trained
from tflite_opt.conversion import job as job_lib
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import examples, representative, sources
from tflite_opt.lint import rule
from tflite_opt.post_training import (
    acceptance,
    kernel_differences,
    tensor_errors,
)
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import errors, facts, files, model_spec, variants
from tflite_opt.records import golden as golden_record
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import golden, resolvers

_LOG = logging.getLogger(__name__)
# Enough real inputs that one near-tie does not decide the 99.5 % agreement.
_RESOLVER_SAMPLES = 1000

Emit = Callable[..., None]


def main(arguments: list[str]) -> None:
    """Works through the job."""
    job = job_lib.Job.load(pathlib.Path(arguments[0]))
    with os.fdopen(int(arguments[1]), "w") as events:

        def emit(event: str, **values: Any) -> None:
            events.write(json.dumps({"event": event, **values}) + "\n")
            events.flush()

        try:
            _run(job, emit)
        except errors.TfliteOptError as error:
            emit("aborted", error=errors.to_parent(error))


def _run(job: job_lib.Job, emit: Emit) -> None:
    dataset = sources.load(job.data)
    layout = job.layout
    if job.freeze:
        emit("freezing")
        freeze.freeze(job.model, layout, dataset, job.reference_splits)
        emit("frozen")
    if not job.recipes:
        return
    float_facts = facts_reader.read_facts(layout.float_model, delegation=False)
    specs = float_facts.signatures[0].inputs
    samples = representative.representative_samples(
        dataset["calibration"], specs
    )
    context = context_lib.FrozenModel(
        layout.float_model,
        float_facts,
        layout.saved_model,
        samples,
        job.compressed is not None and job.compressed.is_quantization_aware,
    )
    calibration = variants.Calibration(
        dataset=dataset.name,
        num_samples=len(dataset["calibration"]),
        seed=job.data.seed,
        sha256=files.sha256_of_arrays(samples),
    )
    checks = {
        name: examples.first(x, _RESOLVER_SAMPLES)
        for name, x in representative.match_inputs(
            dataset["validation"].inputs, specs
        ).items()
    }
    vectors = _golden_reference(job, dataset, checks)
    for content in job.recipes:
        recipe = recipe_lib.Recipe.from_json(content)
        emit("converting", name=recipe.name)
        layout.tensor_errors(recipe.name).unlink(missing_ok=True)
        try:
            made = _convert(recipe, context, calibration, checks, vectors, job)
        except errors.OutputError:
            # A full disk is not this variant's fault.
            raise
        except errors.TfliteOptError as error:
            emit("failed", name=recipe.name, message=str(error))
        else:
            emit("converted", name=recipe.name)
            if recipe.convert.computes_in_integers:
                emit("examining", name=recipe.name)
                _examine(recipe.name, made.parent, context, layout)


def _examine(
    name: str,
    parent: pathlib.Path,
    context: context_lib.FrozenModel,
    layout: job_lib.Layout,
) -> None:
    """Writes what quantization did to each tensor, where that can be said."""
    opened = model_spec.OpenedModel.load(layout.opened, layout.root)
    try:
        _, held_out = acceptance.split(context.representative)
        found = tensor_errors.compute(
            parent, layout.artifact(name), held_out, opened.layers
        )
    except (errors.ModelError, errors.DataError) as error:
        _LOG.warning("No errors of tensors of %s: %s", name, error)
    else:
        found.save(layout.tensor_errors(name), layout.root)


def _golden_reference(
    job: job_lib.Job,
    dataset: dataset_lib.Dataset,
    checks: Mapping[str, examples.Examples],
) -> golden.Reference | None:
    """Returns what golden vectors are made of; None without reference outputs.

    Args:
        job: The job.
        dataset: Its data.
        checks: The first inputs of the validation split.
    """
    if "validation" not in job.reference_splits:
        return None
    few = golden.DEFAULT_NUM_EXAMPLES
    return golden.Reference(
        inputs={
            name: examples.materialize(examples.first(x, few))
            for name, x in checks.items()
        },
        # Of the user's own model, also for what was made from it.
        outputs=files.read_npz(
            job_lib.Layout(root=job.layout.root).original_outputs("validation")
        ),
        labels=dataset["validation"].labels,
        preprocessing=job.data.describe_preprocessing(),
        original_sha256=job.model.artifact.sha256,
    )


def _convert(
    recipe: recipe_lib.Recipe,
    context: context_lib.FrozenModel,
    calibration: variants.Calibration,
    checks: Mapping[str, examples.Examples],
    vectors: golden.Reference | None,
    job: job_lib.Job,
) -> making.Made:
    layout = job.layout
    # What may crash comes before any file is open.
    starts = making.convert(recipe, context, layout)
    path = layout.artifact(recipe.name)
    # The file takes its name only after it has passed every check.
    with files.atomic_path(path) as unverified:
        made = making.refine(recipe, starts, layout, unverified)
        # This process may crash, so it needs no other one for that.
        model = facts_reader.read_facts(unverified, isolated=False, values=True)
        recipe.convert.verify(model)
        kept = trained.require_promises(
            unverified,
            model,
            job.compressed,
            job_lib.Layout(root=layout.root).float_model,
        )
        agreement = trained.agreement(unverified, checks, job)
        findings = rule.lint(model, unverified)
        resolver_check = kernel_differences.explained(
            resolvers.compare_resolvers(unverified, checks),
            unverified,
            context.representative,
        )
        _require_agreement(resolver_check)
        if vectors is not None:
            golden.write(
                unverified,
                vectors,
                destination=golden_record.path_beside(path),
            )
    artifact = artifact_record.describe(
        path,
        format="tflite",
        name=recipe.name,
        produced_by=f"{recipe.describe()} by {made.converted.backend}",
        parents=tuple(made.parents),
        warnings=(
            *made.converted.notes,
            *resolver_check.warnings(),
            *trained.warnings(agreement),
        ),
    )
    variants.Variant(
        artifact=artifact,
        facts=model,
        backend=made.converted.backend,
        technique=recipe.describe(),
        calibration=(
            calibration if recipe.convert.needs_representative_dataset else None
        ),
        resolvers=resolver_check,
        findings=findings,
        compressed=job.compressed,
        kept=kept,
        keras_agreement=agreement,
        notes=tuple(made.notes),
    ).save(layout.variant(recipe.name), layout.root)
    return made


def _require_agreement(check: facts.ResolverCheck) -> None:
    if check.prepared_by == "none":
        raise errors.ConversionError(
            "The interpreter must be able to prepare the file. "
            f"Received: {check.delegate_error}"
        )
    if not check.ok:
        raise errors.VerificationError(
            "Builtin kernels and XNNPACK must give the same results. "
            f"Received: {check.describe()}."
        )


if __name__ == "__main__":
    child_process.end_with_parent()
    main(sys.argv[1:])
