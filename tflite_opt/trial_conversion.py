# SPDX-License-Identifier: Apache-2.0
"""Converts models that are still being worked on, to see what they cost.

Techniques that change the layers of a model get it in their context: they
import no stage.
"""

import pathlib
import tempfile
from typing import Any

import numpy as np

from tflite_opt.conversion import context, tflite_converter
from tflite_opt.data import dataset, representative
from tflite_opt.keras_models import freezing
from tflite_opt.records import channel_budget, conversion, files
from tflite_opt.techniques import full_integer
from tflite_opt.tflite import facts as facts_reader

# Size and latency do not depend on the ranges.
_NUM_EXAMPLES = 8


class TrialConverter:
    """Implements `records.conversion.TrialConverter`."""

    def __init__(self, calibration: dataset.Split) -> None:
        """Keeps a few examples.

        Args:
            calibration: Of which the first are used.
        """
        few = np.arange(min(_NUM_EXAMPLES, len(calibration)))
        self._calibration = calibration.take(few, calibration.name)

    def convert(
        self,
        model: Any,
        dtype: channel_budget.Dtype,
        destination: pathlib.Path,
    ) -> None:
        """Writes the `.tflite`; see the protocol."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            saved_model = folder / "saved_model"
            freezing.freeze(model, saved_model)
            float_model = folder / "model.tflite"
            content = tflite_converter.convert(
                saved_model, conversion.ConverterOptions(), {}
            )
            float_model.write_bytes(content)
            if dtype == "int8":
                frozen = context.FrozenModel(
                    float_model,
                    facts_reader.read_facts(float_model, delegation=False),
                    saved_model,
                    representative.representative_samples(
                        self._calibration, freezing.input_specs(model)
                    ),
                )
                content = full_integer.FullInteger().convert(frozen).content
        files.write_bytes(destination, content)
