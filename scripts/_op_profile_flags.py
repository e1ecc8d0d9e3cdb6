# SPDX-License-Identifier: Apache-2.0
"""The flag that asks for an op profile."""

from absl import flags

OP_PROFILE = flags.DEFINE_bool(
    "op_profile",
    False,
    "Whether to time each operation, by XNNPACK's and by TFLite's names, and "
    "to say what XNNPACK leaves out.",
)
