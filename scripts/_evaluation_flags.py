# SPDX-License-Identifier: Apache-2.0
"""The flags that say how accuracy is judged."""

from absl import flags

from tflite_opt.evaluation import evaluate
from tflite_opt.evaluation.metrics import base

_DEFAULTS = evaluate.Options()

_METRIC = flags.DEFINE_string(
    "metric",
    _DEFAULTS.metric,
    f"What is judged: {', '.join((base.AUTO, *base.names()))}, where python is "
    "python:package.module:function, which gets the outputs by name and the "
    "labels and returns a float or one for each example. auto goes by labels "
    "and outputs.",
)
_MAX_ACCURACY_DROP = flags.DEFINE_float(
    "max_accuracy_drop",
    _DEFAULTS.max_accuracy_drop,
    "Largest acceptable loss of the metric against float32, a fraction: 0.005 "
    "is half a percentage point, or half a percent of float32's error for a "
    "metric that is no percentage.",
)
_NUM_WORKERS = flags.DEFINE_integer(
    "num_workers",
    _DEFAULTS.num_workers,
    "Interpreters in parallel during evaluation; 0 for one on each CPU.",
)


def evaluation_options() -> evaluate.Options:
    """Returns the options that the flags set."""
    return evaluate.Options(
        metric=_METRIC.value,
        max_accuracy_drop=_MAX_ACCURACY_DROP.value,
        num_workers=_NUM_WORKERS.value,
    )
