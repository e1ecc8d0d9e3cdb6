# SPDX-License-Identifier: Apache-2.0
"""The flags that say how a reference model is built."""

from absl import flags

_WIDTH_MULTIPLIER = flags.DEFINE_float(
    "width_multiplier",
    None,
    "Scales the filters of reference models that have it.",
)


def model_options() -> dict[str, float]:
    """Returns keyword arguments of a reference model's `build`."""
    width = _WIDTH_MULTIPLIER.value
    return {} if width is None else {"width_multiplier": width}
