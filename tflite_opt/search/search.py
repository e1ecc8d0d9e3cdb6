# SPDX-License-Identifier: Apache-2.0
"""The whole search: a model and limits go in, a front of artifacts comes out.

Every choice is made on the validation split. What the search ends with is
measured again in one session, and only then looked at on the test split.
"""

import dataclasses
import importlib.metadata
import json
import pathlib

from tflite_opt.conversion import job as conversion_job
from tflite_opt.data import dataset, sources
from tflite_opt.evaluation import evaluate
from tflite_opt.keras_models import source
from tflite_opt.records import (
    benchmark,
    errors,
    files,
    model_spec,
    report,
    run_directory,
)
from tflite_opt.records import search as search_record
from tflite_opt.records import training as training_record
from tflite_opt.report import search_text
from tflite_opt.search import (
    choosing,
    delivery,
    loop,
    making,
    measuring,
)
from tflite_opt.search import job as job_lib
from tflite_opt.search import space as space_lib
from tflite_opt.search import store as store_lib

DEFAULT_NUM_TRIALS = 40
DEFAULT_BATCH_SIZE = 4
DEFAULT_SUBSET = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What to search for, in what, and how it is judged.

    Attributes:
        model: What the user names.
        data: The data set.
        limits: What an artifact must keep.
        training: How a reference model is trained.
        fine_tuning: How techniques train.
        evaluation: How accuracy is judged.
        runtime: How latency is measured.
        runner: What measures.
        objective: What the recommended artifact makes small.
        techniques: What recipes are made of.
        num_trials: How many recipes are tried.
        batch_size: Trials that are proposed without knowing of each other: at
            most so many jobs are carried out at a time.
        seed: Of the proposals.
        subset: Validation examples that are looked at first.
        conversion_timeout_s: Longest time for one conversion.
        measurements: Where searches that differ in their proposals only share
            what recipes gave; None for the run itself.
    """

    model: source.Choice
    data: dataset.DataSpec
    limits: search_record.Limits
    training: training_record.TrainingOptions
    fine_tuning: training_record.TrainingOptions
    evaluation: evaluate.Options
    runtime: benchmark.RuntimeOptions
    runner: benchmark.Runner
    objective: report.Objective
    techniques: tuple[str, ...]
    num_trials: int = DEFAULT_NUM_TRIALS
    batch_size: int = DEFAULT_BATCH_SIZE
    seed: int = 0
    subset: int = DEFAULT_SUBSET
    conversion_timeout_s: float = 600.0
    measurements: pathlib.Path | None = None

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a number is out of its range, or a technique is
                unknown.
        """
        for name in ("num_trials", "batch_size", "subset"):
            if getattr(self, name) < 1:
                raise errors.InputError(
                    f"`{name}` must be at least 1. "
                    f"Received: {name}={getattr(self, name)}"
                )
        if self.seed < 0:
            raise errors.InputError(
                f"`seed` must be at least 0. Received: seed={self.seed}"
            )
        space_lib.build(self.techniques)


def search(
    request: Request,
    run: run_directory.RunDirectory,
    executor: job_lib.Executor,
) -> search_record.SearchResult:
    """Searches, or goes on with a search, and delivers the front.

    Args:
        request: What to search for.
        run: Gets the records of the search and those of an ordinary run, so
            that its report, comparisons and gates work on it.
        executor: Makes artifacts.

    Raises:
        InputError: If `run` holds another search.
    """
    data = sources.load(request.data)
    fingerprint = data.fingerprint()
    model = source.take_model(
        request.model, request.data, fingerprint, request.training, run
    )
    store = store_lib.Store.claim(
        run.path("search"),
        _description(request, model, fingerprint),
        request.measurements,
    )
    store.result.unlink(missing_ok=True)
    job = _job(request, model, fingerprint, store)
    baseline, meter = _measure_baseline(request, job, store, run)
    plan = _plan(request, baseline, job)
    trials = loop.carry_out(plan, store, executor, meter)
    known = [baseline.outcome, *(outcome for _, outcome in trials)]
    delivered = delivery.deliver(
        delivery.Request(
            result=choosing.choose(known, request.limits, request.objective),
            model=model,
            data=data,
            evaluation=request.evaluation,
            limits=request.limits,
            objective=request.objective,
            meter=meter,
        ),
        trials,
    )
    files.write_text(
        run.path("report", "search.md"),
        search_text.to_markdown(delivered, trials, known, request.limits),
    )
    return delivered


def _measure_baseline(
    request: Request,
    job: job_lib.Job,
    store: store_lib.Store,
    run: run_directory.RunDirectory,
) -> tuple[search_record.Baseline, measuring.Meter]:
    """Makes and measures float32; returns it and what measures the others."""
    variant, evaluated = making.make_baseline(job)
    meter = measuring.Meter(
        runner=request.runner,
        options=request.runtime,
        run=run,
        store=store,
        baseline=variant.artifact,
    )
    (outcome,) = meter([making.outcome_of(variant, evaluated)], "first")
    opened = model_spec.OpenedModel.load(
        conversion_job.Layout(root=store.base).opened
    )
    baseline = search_record.Baseline(
        outcome=outcome,
        parameters=variant.facts.parameters,
        trainable=opened.trainable,
    )
    baseline.save(store.baseline)
    return baseline, meter


def trials(run: run_directory.RunDirectory) -> list[search_text.Trial]:
    """Returns the trials of a search so far, which may still go on.

    Raises:
        InputError: If the run is no search.
    """
    return _store(run).trials()


def is_over(run: run_directory.RunDirectory) -> bool:
    """Returns whether the search of a run has ended."""
    return _store(run).result.exists()


def outcomes(run: run_directory.RunDirectory) -> list[search_record.Outcome]:
    """Returns the outcomes of a search, float32's first."""
    store = _store(run)
    baseline = search_record.Baseline.load(store.baseline)
    return [baseline.outcome, *(x for _, x in store.trials() if x)]


def _store(run: run_directory.RunDirectory) -> store_lib.Store:
    """Returns where the records of a search are.

    Raises:
        InputError: If the run is no search.
    """
    root = run.path("search")
    if not root.is_dir():
        raise errors.InputError(
            "There must be a search to look at. Received: "
            f"output_dir={str(run.root)!r}, which holds none."
        )
    return store_lib.Store.open(root)


def _plan(
    request: Request, baseline: search_record.Baseline, job: job_lib.Job
) -> loop.Plan:
    space = space_lib.build(request.techniques)
    return loop.Plan(
        space=space if baseline.trainable else space.without_training(),
        baseline=baseline,
        limits=request.limits,
        seed=request.seed,
        num_trials=request.num_trials,
        batch_size=request.batch_size,
        job=job,
    )


def _job(
    request: Request,
    model: model_spec.ModelSpec,
    fingerprint: str,
    store: store_lib.Store,
) -> job_lib.Job:
    return job_lib.Job(
        model=model,
        data=request.data,
        data_fingerprint=fingerprint,
        versions=run_directory.package_versions(),
        fine_tuning=request.fine_tuning,
        metric=request.evaluation.metric,
        max_accuracy_drop=request.evaluation.max_accuracy_drop,
        num_workers=request.evaluation.num_workers,
        subset=request.subset,
        conversion_timeout_s=request.conversion_timeout_s,
        recipes=(),
        base=store.base,
        work=store.work,
        made=store.made,
    )


def _description(
    request: Request, model: model_spec.ModelSpec, fingerprint: str
) -> search_record.SearchDescription:
    settings = {
        "fine_tuning": request.fine_tuning.without_logs().to_json(),
        "metric": request.evaluation.metric,
        "runtime": request.runtime.to_json(),
        "subset": request.subset,
    }
    identity = json.dumps(model.identity(), sort_keys=True)
    return search_record.SearchDescription(
        model=model.name,
        model_key=files.sha256_of_text(identity),
        data=request.data.source,
        data_fingerprint=fingerprint,
        runner=request.runner.identity,
        limits=request.limits,
        seed=request.seed,
        batch_size=request.batch_size,
        techniques=tuple(sorted(request.techniques)),
        settings=json.dumps(settings, sort_keys=True),
        versions=run_directory.package_versions()
        | {"optuna": importlib.metadata.version("optuna")},
    )
