# SPDX-License-Identifier: Apache-2.0
"""The conversion process with techniques that do what real ones only risk."""

import dataclasses
import os
import signal
import sys
import time
from typing import ClassVar, Literal

from tflite_opt.conversion import worker
from tflite_opt.records import conversion, errors, facts
from tflite_opt.techniques import base


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


if __name__ == "__main__":
    worker.main(sys.argv[1:])
