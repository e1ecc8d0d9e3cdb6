# SPDX-License-Identifier: Apache-2.0
"""How the channels that a model can do without are told from the others."""

from typing import Literal

# `l1`, `l2`: norm of the weights that make a channel. `batch_norm_scale`: the
# factor that it is normalized to. `taylor`: how much the loss changes without
# it, to first order. `geometric_median`: how far its weights are from those of
# the other channels. `random`: a control.
Criterion = Literal[
    "l1", "l2", "batch_norm_scale", "taylor", "geometric_median", "random"
]
