# SPDX-License-Identifier: Apache-2.0
"""The flags of a search: what to look for, where, and who carries it out."""

from absl import flags

from tflite_opt.records import search
from tflite_opt.search import job, local_executor, space
from tflite_opt.search import search as search_lib

_MAX_LATENCY_MS = flags.DEFINE_float(
    "max_latency_ms", None, "Largest acceptable median latency."
)
_MAX_BYTES = flags.DEFINE_integer(
    "max_bytes", None, "Largest acceptable size; see --gzip."
)
_GZIP = flags.DEFINE_boolean(
    "gzip",
    False,
    "Count sizes after gzip, about what an app store sends, instead of the "
    "file's.",
)
NUM_TRIALS = flags.DEFINE_integer(
    "num_trials",
    search_lib.DEFAULT_NUM_TRIALS,
    "Recipes to try. A search that is resumed may get more.",
)
TRIAL_BATCH = flags.DEFINE_integer(
    "trial_batch",
    search_lib.DEFAULT_BATCH_SIZE,
    "Recipes that are proposed without knowing of each other, and made at the "
    "same time where there are processes or hosts for them.",
)
SUBSET = flags.DEFINE_integer(
    "subset",
    search_lib.DEFAULT_SUBSET,
    "Validation examples that are looked at first: a recipe that surely loses "
    "too much on them is stopped.",
)
SEARCH_SEED = flags.DEFINE_integer(
    "search_seed",
    0,
    "Of the proposals: with the same measurements, the same trials.",
)
_TECHNIQUES = flags.DEFINE_list(
    "techniques",
    None,
    "What recipes are made of, out of: "
    + ", ".join(space.known_techniques())
    + ". Default: all, but pruning and clustering only with --gzip: they do "
    "not change the size of an int8 file.",
)
_PROCESSES = flags.DEFINE_integer(
    "processes",
    1,
    "Jobs at a time on this machine. A training takes all CPUs by itself.",
)


def limits(max_accuracy_drop: float) -> search.Limits:
    """Returns the limits that the flags set.

    Args:
        max_accuracy_drop: Which evaluation judges by, too.
    """
    return search.Limits(
        max_accuracy_drop=max_accuracy_drop,
        max_latency_ms=_MAX_LATENCY_MS.value,
        max_bytes=_MAX_BYTES.value,
        counts_gzip=_GZIP.value,
    )


def techniques() -> tuple[str, ...]:
    """Returns what recipes are made of."""
    if _TECHNIQUES.value is None:
        return space.default_techniques(counts_gzip=_GZIP.value)
    return tuple(_TECHNIQUES.value)


def executor() -> job.Executor:
    """Returns who makes artifacts.

    Raises:
        InputError: If a cluster was asked for and cannot be reached.
    """
    return local_executor.LocalExecutor(_PROCESSES.value)
