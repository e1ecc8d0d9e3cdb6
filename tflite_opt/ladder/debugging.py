# SPDX-License-Identifier: Apache-2.0
"""Why an int8 model is worse than its float parent, and what would help.

Every rung of the ladder is really made, so what it would do is measured. Runs
in this process.
"""

import dataclasses
import pathlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tflite_opt.conversion import context as context_lib
from tflite_opt.conversion import job, making
from tflite_opt.data import dataset, representative
from tflite_opt.ladder import rungs
from tflite_opt.post_training import acceptance, layers, sensitivity
from tflite_opt.post_training import tensor_errors as tensor_errors_lib
from tflite_opt.records import errors, tensor_errors
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import flatbuffer, interpreter, native_messages

_MIN_GAIN_DB = 0.5
# Of the files of a rung.
_NAME = "trial"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """What one rung would do, on top of those before.

    Attributes:
        name: Of the rung.
        found: Errors with it; None if it cannot be made.
        reason: Why not; "" if it can.
    """

    name: str
    found: tensor_errors.TensorErrors | None
    reason: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """A quantized model beside what the rungs would make of its parent.

    Attributes:
        given: Errors of the model as it is.
        trials: In the ladder's order; empty if none were asked for.
    """

    given: tensor_errors.TensorErrors
    trials: tuple[Trial, ...]

    def best_for(
        self, tensor: tensor_errors.TensorError
    ) -> tuple[str, float | None] | None:
        """Returns the rung that helps a tensor most, and by how many dB.

        What a rung gains is what it adds to those before it. None stands for
        an exact tensor, which only counts if no other rung helps.

        Returns:
            None if no rung lowers the noise by half a decibel.
        """
        before, gains = tensor.snr_db, dict[str, float]()
        exact = ""
        for trial in self.trials:
            for other in trial.found.tensors if trial.found else ():
                if other.name != tensor.name or before is None:
                    continue
                if other.snr_db is None:
                    exact = trial.name
                else:
                    gains[trial.name] = other.snr_db - before
                before = other.snr_db
        name = max(gains, key=gains.__getitem__, default="")
        if name and gains[name] >= _MIN_GAIN_DB:
            return name, gains[name]
        return (exact, None) if exact else None


def samples_for(
    parent: pathlib.Path, split: dataset.Split
) -> dict[str, np.ndarray]:
    """Returns calibration data by the names of a float model's inputs.

    Raises:
        ModelError: If the model is quantized, naming tensors.
        DataError: If the data do not fit it.
    """
    layers.require_float(flatbuffer.read(parent))
    inputs = interpreter.load(parent).inputs
    return representative.representative_samples(split, inputs)


def diagnose(
    parent: pathlib.Path,
    model: pathlib.Path,
    samples: Mapping[str, np.ndarray],
    keras_layers: Sequence[str] = (),
    *,
    try_rungs: bool = True,
) -> Diagnosis:
    """Compares a quantized model with its parent, tensor by tensor.

    Args:
        parent: The float `.tflite`.
        model: What was made of it, by whatever tool.
        samples: Calibration data by name, shape (n, ...).
        keras_layers: Paths of all layers of the Keras model, in its order.
        try_rungs: Whether the ladder's rungs are made.

    Raises:
        ModelError: If the parent is quantized, naming tensors, or they are
            not of the same layers.
        DataError: If there are too few samples, or they do not fit.
    """
    fitting, held_out = acceptance.split(samples)
    given = tensor_errors_lib.compute(parent, model, held_out, keras_layers)
    if not try_rungs:
        return Diagnosis(given=given, trials=())
    context = context_lib.FrozenModel(
        parent,
        facts_reader.read_facts(parent, delegation=False),
        None,
        samples,
    )
    tries = _Tries(context, held_out, keras_layers)
    with tempfile.TemporaryDirectory() as folder:
        layout = job.Layout(root=pathlib.Path(folder))
        tries.make(rungs.without_training(), layout)
        # What equalization has repaired already costs nothing any more.
        scanned = sensitivity.scan(
            layout.prepared(_NAME, 0) if tries.steps.prepare else parent,
            fitting,
            keras_layers,
        )
        tries.make(rungs.in_float(scanned), layout)
    return Diagnosis(given=given, trials=tuple(tries.done))


class _Tries:
    """Makes rungs, each on top of those before.

    Attributes:
        steps: Of the rungs that could be made.
        done: What became of all.
    """

    def __init__(
        self,
        context: context_lib.FrozenModel,
        held_out: Mapping[str, np.ndarray],
        keras_layers: Sequence[str],
    ) -> None:
        self._context, self._held_out = context, held_out
        self._keras_layers = keras_layers
        self.steps, self.done = rungs.Steps(), list[Trial]()

    def make(
        self, candidates: Iterable[rungs.Candidate], layout: job.Layout
    ) -> None:
        """Makes some more, with their files in a layout."""
        for candidate in candidates:
            added = candidate.add(self.steps)
            try:
                # The quantizer's own chatter would hide what matters.
                with native_messages.silenced():
                    found = self._errors_of(added, layout)
            except errors.TfliteOptError as error:
                trial = Trial(
                    name=candidate.name, found=None, reason=str(error)
                )
            else:
                self.steps = added
                trial = Trial(name=candidate.name, found=found)
            self.done.append(trial)

    def _errors_of(
        self, steps: rungs.Steps, layout: job.Layout
    ) -> tensor_errors.TensorErrors:
        recipe = steps.recipe(_NAME, slim=False)
        starts = making.convert(recipe, self._context, layout)
        made = making.refine(recipe, starts, layout, layout.artifact(_NAME))
        return tensor_errors_lib.compute(
            made.parent, made.path, self._held_out, self._keras_layers
        )
