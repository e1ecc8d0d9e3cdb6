# SPDX-License-Identifier: Apache-2.0
"""How far int8 comes without training: the ladder, and mixed precision.

A cell is one network with one seed, trained to convergence. Its ladder climbs
to the user's target, then once more to the top, to show what each rung does;
choices look at the validation split, the figures are of the test split. A
second cell of each network is its front of mixed precisions.
"""

import dataclasses
import pathlib
import time
from collections.abc import Mapping, Sequence

from tflite_opt import recipe as recipe_lib
from tflite_opt import stages
from tflite_opt.benchmark import desktop
from tflite_opt.conversion import convert, job
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import sources
from tflite_opt.evaluation import evaluate
from tflite_opt.keras_models import source
from tflite_opt.ladder import climb, precision
from tflite_opt.ladder import request as ladder_request
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import (
    benchmark,
    evaluation,
    ladder,
    model_spec,
    run_directory,
    training,
)
from tflite_opt.report import build
from tflite_opt.studies import ladder_table, rescaled, study

TITLE = "int8 without training: the ladder and mixed precision"
MAX_DROP = 0.003
AUTO, WITHOUT = "auto_int8", "auto_int8_without_equalization"
EVERY = "every_rung"
_OUTCOMES: dict[str, float] = {"failed": -1.0, "left out": 0.0, "taken": 1.0}
_FACTOR = 100.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One network.

    Attributes:
        model: Name of a reference model.
        data: What it is trained on.
        training: How; the seed is replaced.
        model_options: Of its `build`.
        is_rescaled: Whether channels of the trained model get unequal ranges.
            Then it climbs once more without equalization, which merely undoes
            that.
    """

    model: str
    data: dataset_lib.DataSpec
    training: training.TrainingOptions
    model_options: dict[str, float | bool] = dataclasses.field(
        default_factory=dict
    )
    is_rescaled: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """All networks.

    Attributes:
        cases: By name.
        seeds: One trained network each.
        work_dir: Keeps run directories.
        num_points: Most sizes of a front.
        runtime: How latency is measured.
    """

    cases: Mapping[str, Case]
    seeds: Sequence[int]
    work_dir: pathlib.Path
    num_points: int = 8
    runtime: benchmark.RuntimeOptions = benchmark.RuntimeOptions()


def cells(setup: Setup) -> dict[str, study.Cell]:
    """Returns two cells for each network and seed."""

    def climbing(name: str, seed: int) -> study.Cell:
        return lambda: _Prepared(name, seed, setup).climb()

    def front(name: str, seed: int) -> study.Cell:
        return lambda: _Prepared(name, seed, setup).front()

    found: dict[str, study.Cell] = {}
    for name in setup.cases:
        for seed in setup.seeds:
            found[f"{name}.{seed}"] = climbing(name, seed)
            found[f"{name}.{ladder_table.FRONT}.{seed}"] = front(name, seed)
    return found


class _Prepared:
    """A trained network and its first variants."""

    def __init__(self, name: str, seed: int, setup: Setup) -> None:
        case = setup.cases[name]
        folder = setup.work_dir / f"{name}.{seed}"
        self._run = run_directory.RunDirectory.create(
            folder, command="measure_ladder", resume=folder.exists()
        )
        self._case, self._setup = case, setup
        self._data = sources.load(case.data)
        self._fingerprint = self._data.fingerprint()
        model = source.take_model(
            source.Choice(model=case.model, model_options=case.model_options),
            case.data,
            self._fingerprint,
            dataclasses.replace(case.training, seed=seed),
            self._run,
        )
        if case.is_rescaled:
            model = self._rescaled(model, seed)
        self._conversion = convert.Request(
            model=model,
            data=case.data,
            data_fingerprint=self._fingerprint,
            recipes=recipe_lib.parse_names([precision.INT8]),
        )
        found, _ = stages.make_variants(
            self._conversion, training.FINE_TUNING, self._run
        )
        self._baseline = found[0].artifact

    def _rescaled(
        self, model: model_spec.ModelSpec, seed: int
    ) -> model_spec.ModelSpec:
        folder = self._run.path("as_trained")
        plain = run_directory.RunDirectory.create(
            folder, command="measure_ladder", resume=folder.exists()
        )
        convert.convert(
            convert.Request(
                model=model,
                data=self._case.data,
                data_fingerprint=self._fingerprint,
                recipes=(),
            ),
            plain,
        )
        path = self._run.path("model", "rescaled.tflite")
        rescaled.rescale(
            job.Layout(root=plain.root).float_model,
            path,
            largest_factor=_FACTOR,
            seed=seed,
        )
        return model_spec.ModelSpec(
            artifact=artifact_record.describe(path, format="tflite")
        )

    def climb(self) -> dict[str, float]:
        """Returns what the ladder and each of its rungs do."""
        left_out = ("equalization",) if self._case.is_rescaled else ()
        target = ladder.Target(limit=MAX_DROP)
        # Nothing meets this one.
        top = ladder.Target(kind="divergence", limit=0.0)
        climbs: dict[str, tuple[str, ...]] = {AUTO: ()}
        if left_out:
            climbs[WITHOUT] = left_out
        values: dict[str, float] = {}
        chosen = {}
        for name, without in climbs.items():
            started = time.perf_counter()
            found = self._climbed(name, target, without)
            values |= {
                f"{name}.rung": found.rungs.index(found.chosen_rung),
                f"{name}.is_met": float(found.verdict == "met"),
                f"{name}.seconds": time.perf_counter() - started,
            }
            chosen[name] = found.chosen_rung
        every = self._climbed(EVERY, top, left_out)
        rungs = [x for x in every.rungs if x.artifact]
        artifacts = [
            x.artifact for x in (*chosen.values(), *rungs) if x.artifact
        ]
        baseline, *tested = self._tested(artifacts)
        values |= {
            "float_accuracy": baseline.metric.value,
            "num_test": baseline.num_examples,
        }
        for name, result in zip(chosen, tested[: len(chosen)], strict=True):
            values |= _figures(name, result)
        for rung, result in zip(rungs, tested[len(chosen) :], strict=True):
            name = f"rung.{rung.name}"
            values |= _figures(name, result)
            values[f"{name}.taken"] = _OUTCOMES[rung.outcome]
            values[f"{name}.seconds"] = rung.seconds
            if rung.divergence is not None:
                values[f"{name}.divergence"] = rung.divergence
        return values

    def _climbed(
        self, name: str, target: ladder.Target, left_out: tuple[str, ...]
    ) -> ladder.Ladder:
        wanted = ladder_request.Ladders(
            names=(name,), target=target, left_out=left_out
        )
        climb.make_variants(wanted, self._request(), self._run)
        path = build.RunRecords(self._run).ladder(name)
        return ladder.Ladder.load(path, self._run.root)

    def front(self) -> dict[str, float]:
        """Returns size and distance of each mixed precision."""
        found = precision.make_front(
            dataclasses.replace(
                self._request(),
                runner=desktop.DesktopRunner(),
                runtime=self._setup.runtime,
            ),
            self._run,
            num_points=self._setup.num_points,
        )
        artifacts = [x.artifact for x in found.points]
        _, *tested = self._tested(artifacts)
        values = {"scan_seconds": found.sensitivity.seconds}
        for number, (point, result) in enumerate(
            zip(found.points, tested, strict=True)
        ):
            name = f"point.{number}"
            values |= _figures(name, result)
            values |= {
                f"{name}.divergence": point.divergence,
                f"{name}.is_optimal": float(point.is_optimal),
                f"{name}.int4": len(
                    point.recipe["convert"].get("precisions", {})
                ),
                f"{name}.prefix": point.recipe["convert"].get(
                    "float_prefix", 0
                ),
            }
            if point.median_ms is not None:
                values[f"{name}.ms"] = point.median_ms
        return values

    def _request(self) -> ladder_request.Request:
        return ladder_request.Request(
            conversion=self._conversion,
            dataset=self._data,
            evaluation=evaluate.Options(max_accuracy_drop=MAX_DROP),
            fine_tuning=training.FINE_TUNING,
        )

    def _tested(
        self, artifacts: Sequence[artifact_record.Artifact]
    ) -> list[evaluation.Evaluation]:
        return stages.evaluate(
            [self._baseline, *artifacts],
            self._data,
            "test",
            evaluate.Options(max_accuracy_drop=MAX_DROP),
            self._run,
            job.Layout(root=self._run.root).original_outputs("test"),
        )


def _figures(name: str, found: evaluation.Evaluation) -> dict[str, float]:
    values: dict[str, float] = {f"{name}.bytes": found.artifact.size_bytes}
    if found.drop:
        values |= {
            f"{name}.loss_points": 100 * found.drop.value,
            f"{name}.low_points": 100 * found.drop.low,
            f"{name}.high_points": 100 * found.drop.high,
        }
    if found.agreement and found.agreement.same_predictions is not None:
        values[f"{name}.agreement"] = found.agreement.same_predictions
    return values
