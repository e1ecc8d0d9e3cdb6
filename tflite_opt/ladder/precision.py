# SPDX-License-Identifier: Apache-2.0
"""Mixed precision under a budget: scanned, chosen, made and measured.

The scan says what to try, and for each of some sizes the best choice is made
with all corrections. What is decided by are the finished files.
"""

import dataclasses
import logging
from collections.abc import Mapping, Sequence

from tflite_opt import recipe as recipe_lib
from tflite_opt import stages
from tflite_opt.conversion import job
from tflite_opt.ladder import request as request_lib
from tflite_opt.ladder import rungs, trial
from tflite_opt.post_training import (
    divergence,
    precision_choice,
    sensitivity,
)
from tflite_opt.records import (
    model_spec,
    precision_front,
    run_directory,
    variants,
)
from tflite_opt.techniques import bias_correction, equalization, rounding

_LOG = logging.getLogger(__name__)
INT8 = "int8_float_io"


def make_front(
    request: request_lib.Request,
    run: run_directory.RunDirectory,
    *,
    num_points: int = 8,
) -> precision_front.PrecisionFront:
    """Makes and measures mixed precisions from small to accurate.

    Args:
        request: What to work with.
        run: With the variants `float32` and `int8_float_io`; gets the others.
        num_points: Most sizes to look at.

    Raises:
        ModelError: If the model cannot be run operation after operation.
        DataError: If there are too few calibration samples to judge by.
    """
    wanted = request_lib.Ladders()
    trials = trial.Trials("mixed", wanted, request, run)
    layout = job.Layout(root=run.root)
    opened = model_spec.OpenedModel.load(layout.opened, run.root)
    int8 = variants.Variant.load(layout.variant(INT8), run.root)
    scanned = sensitivity.scan(trials.parent, trials.fitting, opened.layers)
    choices = {
        f"mixed_{number}": choice
        for number, choice in enumerate(
            precision_choice.front(
                scanned, int8.artifact.size_bytes, num_points
            )
        )
    }
    found, failures = stages.compress_and_convert(
        dataclasses.replace(
            request.conversion,
            recipes=[recipe(name, x) for name, x in choices.items()],
        ),
        request.fine_tuning,
        run,
    )
    for failure in failures:
        _LOG.warning("%s", failure)
    points = _points(found, choices, trials, request, run)
    return precision_front.PrecisionFront(
        sensitivity=scanned, points=tuple(_marked(points))
    )


def recipe(name: str, choice: precision_choice.Choice) -> recipe_lib.Recipe:
    """Returns a choice as a recipe with all corrections."""
    return rungs.Steps(
        prepare=(equalization.Equalization(),),
        refine=(bias_correction.BiasCorrection(), rounding.Rounding()),
        int4_operations=choice.int4,
        float_prefix=choice.float_prefix,
        dynamic_last_layer=choice.dynamic_last_layer,
    ).recipe(name, slim=True)


def _points(
    found: Sequence[variants.Variant],
    choices: Mapping[str, precision_choice.Choice],
    trials: trial.Trials,
    request: request_lib.Request,
    run: run_directory.RunDirectory,
) -> list[precision_front.PrecisionPoint]:
    artifacts = [variant.artifact for variant in found]
    drops = {
        x.artifact.name: x.drop
        for x in stages.evaluate(
            [trials.baseline, *artifacts],
            request.dataset,
            "validation",
            request.evaluation,
            run,
            job.Layout(root=run.root).original_outputs("validation"),
        )
    }
    latencies = (
        {
            x.artifact.name: x.latency.median_ms
            for x in stages.measure(
                artifacts, request.runner, request.runtime, run, "mixed/"
            )
        }
        if request.runner
        else {}
    )
    points = []
    for variant in found:
        name = variant.artifact.name
        distance = divergence.distance(
            trials.parent, variant.artifact.path, trials.held_out
        )
        delegation = variant.facts.delegation
        points.append(
            precision_front.PrecisionPoint(
                recipe=recipe(name, choices[name]).to_json(),
                artifact=variant.artifact,
                expected_divergence=max(choices[name].cost, 0.0),
                expected_bytes=choices[name].size_bytes,
                divergence=distance.divergence,
                agreement=distance.agreement,
                drop=drops[name],
                partitions=delegation.partitions if delegation else None,
                median_ms=latencies.get(name),
                is_optimal=False,
            )
        )
    return points


def _marked(
    points: Sequence[precision_front.PrecisionPoint],
) -> list[precision_front.PrecisionPoint]:
    """Returns points by size, with those marked that none is better than."""
    marked, least = [], float("inf")
    for point in sorted(
        points, key=lambda x: (x.artifact.size_bytes, x.divergence)
    ):
        marked.append(
            dataclasses.replace(point, is_optimal=point.divergence < least)
        )
        least = min(least, point.divergence)
    return marked
