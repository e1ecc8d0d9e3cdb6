# SPDX-License-Identifier: Apache-2.0
"""Writes MobileNetV2 at 224x224 in int8, whole and narrowed to a budget.

Run as `python -m tflite_opt.studies.narrowed_model REQUEST.json`, in a process
of its own: it imports TensorFlow. Weights and images are random; only latency
is measured.
"""

import dataclasses
import pathlib
import sys

import numpy as np

from tflite_opt import trial_conversion
from tflite_opt.data import dataset
from tflite_opt.keras_models import reference, training
from tflite_opt.keras_models.channels import costs, groups, narrowing
from tflite_opt.records import channel_budget, serialization

_SHAPE = (224, 224, 3)
_CLASSES = 1000
_NUM_IMAGES = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(serialization.Record):
    """What to write, and where.

    Attributes:
        kind: Of the budget.
        fraction: Of what is left.
        folder: Gets the files.
    """

    kind: str
    fraction: float
    folder: pathlib.Path

    @property
    def whole(self) -> pathlib.Path:
        """The file of the whole model."""
        return self.folder / "whole.tflite"

    @property
    def narrow(self) -> pathlib.Path:
        """The file of the narrowed one."""
        return self.folder / "narrow.tflite"


def write(request: Request) -> None:
    """Narrows the model by the size of its weights."""
    training.make_reproducible(0)
    model = reference.build("mobilenet_v2", {"image": _SHAPE}, _CLASSES, None)
    images = np.random.default_rng(0).random((_NUM_IMAGES, *_SHAPE), np.float32)
    split = dataset.Split(
        name="train",
        inputs={"image": images},
        labels=np.arange(_NUM_IMAGES),
        ids=np.arange(_NUM_IMAGES),
    )
    converter = trial_conversion.TrialConverter(split)
    budget = channel_budget.only({request.kind: request.fraction})
    request.folder.mkdir(parents=True, exist_ok=True)
    found = groups.find(model)
    cost: costs.Costs = (
        costs.Measured(budget.kind, model, "int8", converter, request.folder)
        if budget.kind in channel_budget.MEASURED
        else costs.Counted(budget.kind, model, found)
    )
    narrow = narrowing.narrow(
        model,
        cost,
        budget,
        narrowing.Settings(
            criterion="l2",
            ranking="global",
            min_fraction=0.1,
            round_to=8,
            protected=(),
            seed=0,
        ),
        split,
        confirm=True,
    )
    for made, path in ((model, request.whole), (narrow, request.narrow)):
        converter.convert(made, "int8", path)


if __name__ == "__main__":
    write(Request.load(pathlib.Path(sys.argv[1])))
