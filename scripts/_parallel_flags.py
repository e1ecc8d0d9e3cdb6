# SPDX-License-Identifier: Apache-2.0
"""How many recipes train at a time."""

from absl import flags

TRAINING_PROCESSES = flags.DEFINE_integer(
    "training_processes",
    1,
    "Recipes that train at a time, each on its share of the CPUs: small "
    "networks hardly train faster on all of them. 1 where a GPU trains.",
    lower_bound=1,
)
