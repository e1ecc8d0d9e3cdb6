# SPDX-License-Identifier: Apache-2.0
"""Words of ternary and binary weights."""

from typing import Literal

Values = Literal["ternary", "binary"]
# `float` leaves a layer alone.
LayerValues = Literal["ternary", "binary", "float"]

NUM_VALUES: dict[Values, int] = {"ternary": 3, "binary": 2}
