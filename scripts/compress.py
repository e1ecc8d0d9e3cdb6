# SPDX-License-Identifier: Apache-2.0
"""Compresses a model by one recipe, training included, to one .tflite.

    python -m scripts.compress --recipe=prune80_int8 --output_dir=runs/pruned

Takes the same models and data as scripts.optimize. Each technique is proven on
the Keras model and on the file: zeros and distinct values are counted. What is
done is kept; --resume goes on where an interrupted run stopped. Exit code 0
when there is a file, 1 when a technique or the conversion failed, 2 for bad
input.
"""

from collections.abc import Sequence

from absl import flags

from tflite_opt import recipe, stages
from tflite_opt.conversion import convert, job
from tflite_opt.data import sources
from tflite_opt.keras_models import source
from tflite_opt.report import build, compression_text, write

from . import (
    _cli,
    _data_flags,
    _evaluation_flags,
    _fine_tuning_flags,
    _model_flags,
    _run_flags,
    _training_flags,
)

_RECIPE = flags.DEFINE_string(
    "recipe",
    None,
    "Name of a recipe or path of a .yaml file. Known: "
    f"{', '.join(sorted(recipe.presets()))}.",
    required=True,
)


def main(arguments: Sequence[str]) -> int:
    """Compresses as the flags say."""
    _cli.reject_positional(arguments)
    recipes = recipe.parse_names([_RECIPE.value])
    choice = _model_flags.choice()
    spec = _data_flags.data_spec(choice.model)
    options = _evaluation_flags.evaluation_options()
    data = sources.load(spec)
    run = _run_flags.run()
    fingerprint = data.fingerprint()
    training = _training_flags.training_options()
    model = source.take_model(choice, spec, fingerprint, training, run)
    limit = options.max_accuracy_drop
    stages.describe(model.artifact, data, recipes, limit, "size", run)
    found, failures = stages.make_variants(
        convert.Request(
            model=model,
            data=spec,
            data_fingerprint=fingerprint,
            recipes=recipes,
        ),
        _fine_tuning_flags.fine_tuning_options(),
        run,
    )
    stages.evaluate(
        [variant.artifact for variant in found],
        data,
        "test",
        options,
        run,
        job.Layout(root=run.root).original_outputs("test"),
    )
    content = build.build(run)
    _cli.emit(
        content.to_json(),
        "\n".join(
            [
                write.table(content),
                "",
                compression_text.table(content.rows),
                "",
                *(f"FAILED {failure}" for failure in failures),
                *(f"Wrote {x.artifact.path}" for x in found[1:]),
            ]
        ),
    )
    return 1 if failures else 0


if __name__ == "__main__":
    _cli.run(main)
