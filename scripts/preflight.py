# SPDX-License-Identifier: Apache-2.0
r"""Says what each technique will do to a model, before anything is trained.

    python -m scripts.preflight --model=my.keras

Layer by layer: pruned, clustered, quantized, left in float and why, blocked
and what to do about it; and, after a conversion without data, which TFLite
operations it becomes, in what they compute and what XNNPACK leaves out. A
reference model is built untrained for the shapes of --dataset. Exit code 0
when nothing blocks post-training quantization, 1 when something does, 2 for
bad input.
"""

from collections.abc import Sequence

from absl import flags

from tflite_opt.conversion import preflight
from tflite_opt.report import preflight_text

from . import _cli, _data_flags, _model_flags, _shape_flags

_TIMEOUT_S = flags.DEFINE_float(
    "timeout_s", 600.0, "A step that takes longer is killed."
)


def main(arguments: Sequence[str]) -> int:
    """Examines what the flags say."""
    _cli.reject_positional(arguments)
    choice = _model_flags.choice()
    found = preflight.run(
        preflight.Request(
            choice=choice,
            data=_data_flags.data_spec(choice.model),
            dynamic_dimension=_shape_flags.dynamic_dimension(),
            timeout_s=_TIMEOUT_S.value,
        )
    )
    _cli.emit(found.to_json(), preflight_text.describe(found))
    return int(bool(found.failures))


if __name__ == "__main__":
    _cli.run(main)
