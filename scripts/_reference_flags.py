# SPDX-License-Identifier: Apache-2.0
"""The flags that say how a reference model is built."""

from absl import flags

_WIDTH_MULTIPLIER = flags.DEFINE_float(
    "width_multiplier",
    None,
    "Scales the filters of reference models that have it.",
)
_SPARSE_FRIENDLY = flags.DEFINE_bool(
    "sparse_friendly",
    None,
    "Builds reference models that have it so that XNNPACK can run them "
    "sparsely on Arm processors once they are pruned.",
)


def model_options() -> dict[str, float | bool]:
    """Returns keyword arguments of a reference model's `build`."""
    given = {
        "width_multiplier": _WIDTH_MULTIPLIER.value,
        "sparse_friendly": _SPARSE_FRIENDLY.value,
    }
    return {key: value for key, value in given.items() if value is not None}
