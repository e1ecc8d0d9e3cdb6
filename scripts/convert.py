# SPDX-License-Identifier: Apache-2.0
"""Converts a model to verified .tflite variants.

    python -m scripts.convert --recipes=float16,int8 --output_dir=runs/convert

Each variant is checked on the file itself: what the technique promised, and
that builtin kernels and XNNPACK agree. Exit code 0 when every recipe gave a
variant, 1 when one failed, 2 for bad input.
"""

from collections.abc import Sequence

import tabulate

from tflite_opt import stages
from tflite_opt.conversion import convert
from tflite_opt.data import sources
from tflite_opt.keras_models import source
from tflite_opt.ladder import climb
from tflite_opt.ladder import request as ladder_request
from tflite_opt.report import ladder_text, notes_text

from . import (
    _cli,
    _conversion_flags,
    _data_flags,
    _evaluation_flags,
    _fine_tuning_flags,
    _ladder_flags,
    _model_flags,
    _parallel_flags,
    _run_flags,
    _training_flags,
)


def main(arguments: Sequence[str]) -> int:
    """Converts what the flags say."""
    _cli.reject_positional(arguments)
    choice = _model_flags.choice()
    spec = _data_flags.data_spec(choice.model)
    recipes, ladders = _ladder_flags.recipes(), _ladder_flags.ladders()
    data = sources.load(spec)
    run = _run_flags.run()
    fingerprint = data.fingerprint()
    options = _training_flags.training_options()
    model = source.take_model(choice, spec, fingerprint, options, run)
    fine_tuning = _fine_tuning_flags.fine_tuning_options()
    request = convert.Request(
        model=model,
        data=spec,
        data_fingerprint=fingerprint,
        recipes=recipes,
        timeout_s=_conversion_flags.timeout_s(),
    )
    found, failures = stages.make_variants(
        request, fine_tuning, run, _parallel_flags.TRAINING_PROCESSES.value
    )
    found += climb.make_variants(
        ladders,
        ladder_request.Request(
            conversion=request,
            dataset=data,
            evaluation=_evaluation_flags.evaluation_options(),
            fine_tuning=fine_tuning,
        ),
        run,
    )
    rows = [
        (
            variant.artifact.name,
            f"{variant.artifact.size_bytes:,}",
            f"{variant.facts.quantized_weight_fraction:.1%}",
            variant.backend,
            variant.artifact.path,
        )
        for variant in found
    ]
    headers = ("variant", "bytes", "weights quantized", "back end", "file")
    _cli.emit(
        {
            "variants": [variant.to_json() for variant in found],
            "failures": [failure.to_json() for failure in failures],
        },
        "\n".join(
            [
                tabulate.tabulate(rows, headers, disable_numparse=True),
                *notes_text.lines((x.artifact.name, x.notes) for x in found),
                *(f"FAILED {failure}" for failure in failures),
                *ladder_text.logs(run, ladders.names),
            ]
        ),
    )
    return 1 if failures else 0


if __name__ == "__main__":
    _cli.run(main)
