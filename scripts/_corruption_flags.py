# SPDX-License-Identifier: Apache-2.0
"""The flags that shift the data of an evaluation."""

from absl import flags

from tflite_opt.data import corruptions

_CORRUPTIONS = flags.DEFINE_list(
    "corruptions",
    [],
    "Evaluate under these as well, out of: "
    f"{', '.join(corruptions.NAMES)}. Inputs that are no images take noise.",
)
_SEVERITY = flags.DEFINE_integer(
    "corruption_severity", 3, "Of the corruptions, from 1 to 5."
)


def shifts(seed: int) -> list[corruptions.Corruption]:
    """Returns the corruptions of --corruptions.

    Args:
        seed: Of their noise.
    """
    return [
        corruptions.Corruption(name=name, severity=_SEVERITY.value, seed=seed)
        for name in dict.fromkeys(_CORRUPTIONS.value)
    ]
