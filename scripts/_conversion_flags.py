# SPDX-License-Identifier: Apache-2.0
"""The flags that say which variants are made."""

from absl import flags

from tflite_opt import recipe

_RECIPES = flags.DEFINE_list(
    "recipes",
    list(recipe.DEFAULT_NAMES),
    "Variants to make, out of: " + ", ".join(sorted(recipe.presets())) + ".",
)
_SLIM = flags.DEFINE_boolean(
    "slim",
    True,
    "Make each file smaller in the end, without changing an output bit.",
)
_CONVERSION_TIMEOUT_S = flags.DEFINE_float(
    "conversion_timeout_s", 600.0, "A conversion that takes longer is killed."
)


def recipes() -> tuple[recipe.Recipe, ...]:
    """Returns the recipes of --recipes, float32 first."""
    return recipe.parse_names(_RECIPES.value, slim=_SLIM.value)


def timeout_s() -> float:
    """Returns the value of --conversion_timeout_s."""
    return _CONVERSION_TIMEOUT_S.value
