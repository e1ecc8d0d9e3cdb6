# SPDX-License-Identifier: Apache-2.0
"""The flags of a search: what to look for, where, and who carries it out."""

import functools
import importlib
import pathlib
import sys

from absl import flags

from tflite_opt.records import benchmark, errors, search
from tflite_opt.search import (
    cluster,
    job,
    local_executor,
    ray_executor,
    ray_runner,
    space,
)
from tflite_opt.search import search as search_lib

from . import _cli, _runner_flags

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
CONVERSION_TIMEOUT_S = flags.DEFINE_float(
    "conversion_timeout_s", 600.0, "A conversion that takes longer is killed."
)
_TECHNIQUES = flags.DEFINE_list(
    "techniques",
    None,
    "What recipes are made of, out of: "
    + ", ".join(space.known_techniques())
    + ". Default: all, but pruning and clustering only with --gzip: they do "
    "not change the size of an int8 file.",
)
_MEASUREMENTS_DIR = flags.DEFINE_string(
    "measurements_dir",
    None,
    "Where searches of the same model and limits, but other seeds or "
    "techniques, share what recipes gave, one after the other; default: the "
    "output directory.",
)
_PROCESSES = flags.DEFINE_integer(
    "processes",
    1,
    "Jobs at a time on this machine, each on its share of the CPUs.",
)


_RAY_ADDRESS = flags.DEFINE_string(
    "ray_address",
    None,
    "HOST:PORT of the head of a Ray cluster that makes the artifacts; default: "
    "this machine does.",
)
_RAY_DEVICE_RESOURCE = flags.DEFINE_string(
    "ray_device_resource",
    None,
    "Resource of the host that has the phone: it measures, instead of this "
    "machine.",
)
_RAY_TIMEOUT_S = flags.DEFINE_float(
    "ray_timeout_s",
    7200.0,
    "Longest time in which no job of the cluster ends.",
    lower_bound=1.0,
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


def measurements() -> pathlib.Path | None:
    """Returns where what recipes gave is shared, if anywhere."""
    found = _MEASUREMENTS_DIR.value
    return None if found is None else pathlib.Path(found)


def techniques() -> tuple[str, ...]:
    """Returns what recipes are made of."""
    if _TECHNIQUES.value is None:
        return space.default_techniques(counts_gzip=_GZIP.value)
    return tuple(_TECHNIQUES.value)


def executor_and_runner() -> tuple[job.Executor, benchmark.Runner]:
    """Returns who makes artifacts and who measures them.

    Raises:
        InputError: If a cluster was asked for and cannot be reached, or a
            phone be used.
    """
    address, resource = _RAY_ADDRESS.value, _RAY_DEVICE_RESOURCE.value
    if address is None:
        if resource is not None:
            raise errors.InputError(
                "--ray_device_resource is of a cluster. Received: "
                f"ray_device_resource={resource} without --ray_address."
            )
        local = local_executor.LocalExecutor(_PROCESSES.value)
        return local, _runner_flags.runner()
    found = cluster.Cluster(address)
    timeout_s = _RAY_TIMEOUT_S.value
    executor = ray_executor.RayExecutor(found, timeout_s=timeout_s)
    if resource is None:
        return executor, _runner_flags.runner()
    remote = ray_runner.RayRunner(
        found,
        functools.partial(_runner_of, tuple(sys.argv)),
        resource=resource,
        timeout_s=timeout_s,
    )
    return executor, remote


def _runner_of(command: tuple[str, ...]) -> benchmark.Runner:
    """Returns the runner of a command's flags, on the host that has it."""
    importlib.import_module(f"{_cli.PACKAGE}.search")
    flags.FLAGS(command)
    return _runner_flags.runner()
