# SPDX-License-Identifier: Apache-2.0
"""The flags of a benchmark, in the words of TFLite's `benchmark_model`."""

import dataclasses
from typing import get_args

from absl import flags

from tflite_opt.records import benchmark

_DEFAULTS = benchmark.RuntimeOptions()
_HELP = {
    "num_threads": "Threads of the interpreter.",
    "warmup_runs": "Least number of inferences before timing starts.",
    "warmup_min_secs": "Least duration of the warm-up.",
    "num_runs": "Least number of timed inferences in a launch.",
    "min_secs": "Least duration of the timed inferences of a launch.",
    "max_secs": "Cap on the timed inferences of a launch.",
    "launches": "Separate processes; the unit of replication.",
    "timeout_s": "A launch that takes longer is killed.",
}

for _name, _text in _HELP.items():
    _default = getattr(_DEFAULTS, _name)
    if isinstance(_default, int):
        flags.DEFINE_integer(_name, _default, _text)
    else:
        flags.DEFINE_float(_name, _default, _text)

flags.DEFINE_enum(
    "delegate",
    _DEFAULTS.delegate,
    list(get_args(benchmark.Delegate)),
    "xnnpack, or none for the builtin kernels.",
)


def runtime_options() -> benchmark.RuntimeOptions:
    """Returns the options that the flags set."""
    values = {name: flags.FLAGS[name].value for name in (*_HELP, "delegate")}
    return dataclasses.replace(_DEFAULTS, **values)
