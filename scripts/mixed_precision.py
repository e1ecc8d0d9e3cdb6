# SPDX-License-Identifier: Apache-2.0
r"""Finds the precision of each operation that keeps a budget best.

    python -m scripts.mixed_precision --model=my.keras --dataset=npz:my.npz \
        --max_bytes=400000 --output_dir=runs/mixed

Scans what integers cost at each operation, chooses int4, int8, dynamic or
float for each of some sizes, makes these files with all corrections, and
measures them. With --max_accuracy_drop the smallest file that keeps it is
chosen, else the one closest to the float model; its recipe is written as
recipe.yaml, to be refined by hand or used with --recipes. Exit code 0 when
the budget is kept, 2 for bad input and for a budget that nothing keeps.
"""

from collections.abc import Sequence

import yaml
from absl import flags

from tflite_opt import recipe, stages
from tflite_opt.conversion import convert
from tflite_opt.data import sources
from tflite_opt.evaluation import evaluate
from tflite_opt.keras_models import source
from tflite_opt.ladder import precision
from tflite_opt.ladder import request as ladder_request
from tflite_opt.records import files, precision_front, training
from tflite_opt.report import precision_text

from . import (
    _cli,
    _data_flags,
    _model_flags,
    _run_flags,
    _runner_flags,
    _runtime_flags,
    _training_flags,
)

_MAX_BYTES = flags.DEFINE_integer("max_bytes", None, "Largest file.")
_MAX_LATENCY_MS = flags.DEFINE_float(
    "max_latency_ms", None, "Largest median latency, as measured."
)
_MAX_ACCURACY_DROP = flags.DEFINE_float(
    "max_accuracy_drop",
    None,
    "Largest estimated loss of the metric against float32 on the validation "
    "split, a fraction.",
)
_NUM_POINTS = flags.DEFINE_integer(
    "num_points", 8, "How many sizes to look at.", lower_bound=2
)


def main(arguments: Sequence[str]) -> None:
    """Finds what the flags ask for."""
    _cli.reject_positional(arguments)
    budget = precision_front.PrecisionBudget(
        max_bytes=_MAX_BYTES.value,
        max_ms=_MAX_LATENCY_MS.value,
        max_accuracy_drop=_MAX_ACCURACY_DROP.value,
    )
    choice = _model_flags.choice()
    spec = _data_flags.data_spec(choice.model)
    data = sources.load(spec)
    run = _run_flags.run()
    options = _training_flags.training_options()
    fingerprint = data.fingerprint()
    conversion = convert.Request(
        model=source.take_model(choice, spec, fingerprint, options, run),
        data=spec,
        data_fingerprint=fingerprint,
        recipes=recipe.parse_names([precision.INT8]),
    )
    stages.make_variants(conversion, training.FINE_TUNING, run)
    found = precision.make_front(
        ladder_request.Request(
            conversion=conversion,
            dataset=data,
            evaluation=evaluate.Options(),
            fine_tuning=training.FINE_TUNING,
            runner=_runner_flags.runner(),
            runtime=_runtime_flags.runtime_options(),
        ),
        run,
        num_points=_NUM_POINTS.value,
    )
    found.save(run.path("mixed_precision.json"), run.root)
    best = found.best(budget)
    path = run.path("recipe.yaml")
    steps = {k: x for k, x in best.recipe.items() if x and k != "name"}
    files.write_text(path, yaml.safe_dump(steps, sort_keys=False))
    _cli.emit(
        {"front": found.to_json(), "best": best.to_json()},
        f"{precision_text.describe(found, best)}\n\n{best.artifact.path}\n"
        f"Recipe: {path}",
    )


if __name__ == "__main__":
    _cli.run(main)
