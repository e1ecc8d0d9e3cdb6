# SPDX-License-Identifier: Apache-2.0
"""The conversion process with techniques that do what real ones only risk."""

import dataclasses
import os
import signal
import sys
import time
from typing import ClassVar, Literal

from tflite_opt.conversion import worker
from tflite_opt.post_training import tensor_errors
from tflite_opt.records import conversion, errors, facts
from tflite_opt.techniques import base

# The recipe whose file is made, but crashes the process when examined.
LATE = "late"
_COMPUTE = tensor_errors.compute


@dataclasses.dataclass(frozen=True, kw_only=True)
class Accident(base.ConversionTechnique):
    """Crashes, hangs, fails, or does nothing and says it did."""

    technique: ClassVar[str] = "accident"
    kind: Literal["crash", "hang", "reject", "no-op"]

    @classmethod
    def presets(cls) -> dict[str, base.ConversionTechnique]:
        return {}

    def convert(
        self, context: conversion.ConversionContext
    ) -> conversion.Converted:
        if self.kind == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.kind == "hang":
            time.sleep(600)
        if self.kind == "reject":
            raise errors.ConversionError("The converter rejected the model.")
        return conversion.Converted(
            content=context.float_model.read_bytes(),
            backend="litert_quantizer",
        )

    def verify(self, model: facts.ModelFacts) -> None:
        self.require(
            model.quantized_weight_fraction > 0,
            "quantize weights",
            "0% of the weights quantized",
        )


def _compute_or_crash(parent, model, inputs, keras_layers):
    if model.stem == LATE:
        os.kill(os.getpid(), signal.SIGSEGV)
    return _COMPUTE(parent, model, inputs, keras_layers)


if __name__ == "__main__":
    tensor_errors.compute = _compute_or_crash
    worker.main(sys.argv[1:])
