# SPDX-License-Identifier: Apache-2.0
"""The flags that say how accuracy is judged."""

from absl import flags

from tflite_opt.evaluation import evaluate

_DEFAULTS = evaluate.Options()

_MAX_ACCURACY_DROP = flags.DEFINE_float(
    "max_accuracy_drop",
    _DEFAULTS.max_accuracy_drop,
    "Largest acceptable loss of top-1 accuracy against float32, a fraction: "
    "0.005 is half a percentage point.",
)
_NUM_WORKERS = flags.DEFINE_integer(
    "num_workers",
    _DEFAULTS.num_workers,
    "Interpreters in parallel during evaluation; 0 for one on each CPU.",
)


def evaluation_options() -> evaluate.Options:
    """Returns the options that the flags set."""
    return evaluate.Options(
        max_accuracy_drop=_MAX_ACCURACY_DROP.value,
        num_workers=_NUM_WORKERS.value,
    )
