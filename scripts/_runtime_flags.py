# SPDX-License-Identifier: Apache-2.0
"""The flags of a benchmark, in the words of TFLite's `benchmark_model`."""

import dataclasses
from typing import get_args

from absl import flags

from tflite_opt.records import benchmark, errors

_DEFAULTS = benchmark.RuntimeOptions()
_HELP = {
    "warmup_runs": "Least number of inferences before timing starts.",
    "warmup_min_secs": "Least duration of the warm-up.",
    "warmup_max_secs": "Cap on a warm-up that does not get steady.",
    "num_runs": "Least number of timed inferences in a launch.",
    "min_secs": "Least duration of the timed inferences of a launch.",
    "max_secs": "Cap on the timed inferences of a launch.",
    "launches": "Separate processes; the unit of replication.",
    "timeout_s": "A launch that takes longer is killed.",
    "run_delay": "Seconds of pause before each inference.",
}
for _name, _text in _HELP.items():
    _default = getattr(_DEFAULTS, _name)
    if isinstance(_default, int):
        flags.DEFINE_integer(_name, _default, _text)
    else:
        flags.DEFINE_float(_name, _default, _text)

_NUM_THREADS = flags.DEFINE_list(
    "num_threads",
    [str(_DEFAULTS.num_threads)],
    "Threads of the interpreter; several, as 1,2,4, where a program measures "
    "with each.",
)
_DELEGATE = flags.DEFINE_enum(
    "delegate",
    _DEFAULTS.delegate,
    list(get_args(benchmark.ToolDelegate)),
    "xnnpack, or none for the builtin kernels; the others are a tool's, on a "
    "phone.",
)
_REQUIRE_FULL_DELEGATION = flags.DEFINE_bool(
    "require_full_delegation",
    _DEFAULTS.require_full_delegation,
    "Whether a tool fails unless the delegate runs the whole model.",
)
_TOOL_FLAGS = flags.DEFINE_multi_string(
    "tool_flags",
    [],
    "NAME=VALUE, a further flag of the tool, as gpu_backend=cl; repeatable.",
)
_CPU_MASK = flags.DEFINE_string(
    "cpu_mask",
    _DEFAULTS.cpu_mask,
    "CPUs to run on, in hexadecimal as for taskset: 3 is CPUs 0 and 1.",
)
_CHECK = flags.DEFINE_bool(
    "check",
    _DEFAULTS.check,
    "Whether outputs are checked against golden vectors beside the file, or "
    "else the builtin kernels; a fast wrong model is an error.",
)
_QUICK_FLAG = flags.DEFINE_bool(
    "quick",
    False,
    "Whether to be done within 5 s, with a wider interval: "
    + ", ".join(f"--{name}={value}" for name, value in benchmark.QUICK.items())
    + " unless they are given.",
)


def runtime_options() -> benchmark.RuntimeOptions:
    """Returns the options that the flags set.

    Raises:
        InputError: If one is out of its range, or there are several numbers
            of threads.
    """
    sweep = runtime_sweep()
    if len(sweep) > 1:
        raise errors.InputError(
            "This program takes one number of threads. "
            f"Received: num_threads={','.join(_NUM_THREADS.value)}."
        )
    return sweep[0]


def runtime_sweep() -> list[benchmark.RuntimeOptions]:
    """Returns the options for each number of threads.

    Raises:
        InputError: If one is out of its range.
    """
    values = {name: flags.FLAGS[name].value for name in _HELP}
    if _QUICK_FLAG.value:
        values |= {
            name: value
            for name, value in benchmark.QUICK.items()
            if not flags.FLAGS[name].present
        }
    shared = dataclasses.replace(
        _DEFAULTS,
        **values,
        delegate=_DELEGATE.value,
        cpu_mask=_CPU_MASK.value,
        check=_CHECK.value,
        require_full_delegation=_REQUIRE_FULL_DELEGATION.value,
        tool_flags=_tool_flags(),
    )
    return [
        dataclasses.replace(shared, num_threads=count)
        for count in _thread_counts()
    ]


def _tool_flags() -> dict[str, str]:
    pairs = [text.partition("=") for text in _TOOL_FLAGS.value]
    if not all(name and equals for name, equals, _ in pairs):
        raise errors.InputError(
            "`tool_flags` must be NAME=VALUE, as gpu_backend=cl. Received: "
            f"tool_flags={' '.join(_TOOL_FLAGS.value)}."
        )
    return {name: value for name, _, value in pairs}


def _thread_counts() -> list[int]:
    texts = _NUM_THREADS.value
    try:
        counts = [int(text) for text in texts]
    except ValueError:
        counts = []
    if not counts or len(set(counts)) < len(counts):
        raise errors.InputError(
            "`num_threads` must be a whole number, or several different ones "
            f"as 1,2,4. Received: num_threads={','.join(texts)}."
        )
    return counts
