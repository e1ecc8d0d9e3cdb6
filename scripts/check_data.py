# SPDX-License-Identifier: Apache-2.0
r"""Looks at the representative data of a quantization, without TensorFlow.

    python -m scripts.check_data --dataset=digits

Compares the calibration samples with the train split, and with the inputs of
a float .tflite if one is given. Exit code 0 when there is nothing to warn of,
1 when there is a warning, 2 for bad input and for data that cannot be right.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.data import doctor, sources
from tflite_opt.records import facts as facts_record
from tflite_opt.report import data_check_text
from tflite_opt.tflite import facts

from . import _cli, _data_flags

_MODEL = flags.DEFINE_string(
    "model", None, "A float .tflite whose inputs the data must fit."
)


def main(arguments: Sequence[str]) -> int:
    """Checks the data that the flags name."""
    _cli.reject_positional(arguments)
    specs = _input_specs(_MODEL.value) if _MODEL.value else None
    data = sources.load(_data_flags.data_spec())
    check = doctor.examine(data["calibration"], data["train"], specs)
    doctor.require_usable(check)
    _cli.emit(check.to_json(), data_check_text.describe(check))
    return int(bool(check.warnings))


def _input_specs(path: str) -> tuple[facts_record.TensorSpec, ...]:
    found = facts.read_facts(pathlib.Path(path), delegation=False)
    # With several signatures, names are those of the tensors.
    signature = found.signatures[0] if len(found.signatures) == 1 else found
    return signature.inputs


if __name__ == "__main__":
    _cli.run(main)
