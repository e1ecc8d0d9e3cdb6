# SPDX-License-Identifier: Apache-2.0
"""Which stock models techniques that train can be applied to, and at what pace.

A cell is a model of keras.applications with random weights and batch
statistics of real images, trained two steps by each technique; one more cell
measures how long a step takes.
"""

import dataclasses
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Mapping

from tflite_opt.data import dataset as dataset_lib
from tflite_opt.records import measurement, serialization
from tflite_opt.studies import (
    applications,
    step_time,
    study,
    trained_stock_model,
)

TITLE = "Techniques that train, on stock models"
STEPS = "steps"
_NUM_IMAGES = 320


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What is measured.

    Attributes:
        source: A data set of images.
        image_size: Height and width of the models' inputs.
        rounds: How often the steps of all techniques are timed, in turn.
    """

    source: str
    image_size: int
    rounds: int


def cells(setup: Setup) -> dict[str, study.Cell]:
    """Returns a cell for each model, and one for the time of a step."""

    def cell(name: str) -> study.Cell:
        request = trained_stock_model.Request(
            name=name,
            data=dataset_lib.DataSpec(
                source=setup.source,
                image_size=(setup.image_size, setup.image_size),
                preprocessing=applications.PREPROCESSING[name],
                limit=_NUM_IMAGES,
            ),
        )
        return lambda: _in_child(trained_stock_model.__name__, request)

    steps = step_time.Request(rounds=setup.rounds)
    return {
        **{name: cell(name) for name in applications.PREPROCESSING},
        STEPS: lambda: _in_child(step_time.__name__, steps),
    }


def _in_child(module: str, request: serialization.Record) -> dict[str, float]:
    """Measures in a process that imports TensorFlow."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = (
            pathlib.Path(folder) / name for name in ("in.json", "out.json")
        )
        request.save(asked)
        study.run_command(
            [sys.executable, "-m", module, str(asked), str(answer)]
        )
        found: dict[str, float] = serialization.read_json(answer)
        return found


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Yields the table of the models, and the times of a step."""
    yield (
        "| model | quantized: TF-MOT | ours, int8 weights | to the .tflite, dB "
        "| its variation, dB | same top-1 | pruned: TF-MOT | ours, of all "
        "weights |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, record in found.items():
        if name == STEPS:
            continue
        if record is None:
            yield f"| {name} | missing | | | | | | |"
            continue
        x = record.values
        yield (
            f"| {name} | {_word(x['tf_mot_quantizes'])} | "
            f"{x['int8_weight_fraction']:.1%} | {x['signal_to_noise_db']:.1f} "
            f"| {x['variation_to_noise_db']:.1f} | {x['top1_agreement']:.1%} "
            f"| {_word(x['tf_mot_prunes'])} | "
            f"{x['pruned_weight_fraction']:.1%} |"
        )
    yield ""
    yield (
        "The noise is between the trained Keras model and its int8 file, in "
        "the scores before the softmax; the variation leaves out what is the "
        "same for all images, of which random networks have much."
    )
    yield ""
    record = found.get(STEPS)
    if record is None:
        yield "The time of a step is missing."
        return
    yield "| step of ResNet-8, 64 images of 28x28 | ms | times float |"
    yield "|---|---:|---:|"
    for technique in step_time.TECHNIQUES:
        milliseconds = record.values[f"{technique}_ms"]
        ratio = milliseconds / record.values[f"{step_time.FLOAT}_ms"]
        yield f"| {technique} | {milliseconds:.1f} | {ratio:.2f} |"
    yield ""
    yield (
        "Of a step, the least over the rounds of the median over a round's "
        "steps; techniques take turns."
    )


def _word(value: float) -> str:
    return "yes" if value else "no"
