# SPDX-License-Identifier: Apache-2.0
"""The flag that says how long a conversion may take."""

from absl import flags

_CONVERSION_TIMEOUT_S = flags.DEFINE_float(
    "conversion_timeout_s", 600.0, "A conversion that takes longer is killed."
)


def conversion_timeout_s() -> float:
    """Returns the value of --conversion_timeout_s."""
    return _CONVERSION_TIMEOUT_S.value
