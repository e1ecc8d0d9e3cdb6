# SPDX-License-Identifier: Apache-2.0
"""The flags that say which variants are made."""

from collections.abc import Collection

from absl import flags

from tflite_opt import recipe

_RECIPES = flags.DEFINE_list(
    "recipes",
    list(recipe.DEFAULT_NAMES),
    "Variants to make, out of: "
    + ", ".join(sorted(recipe.presets()))
    + ", or auto_int8: what loses least, tried in turn until a target is met.",
)
_SLIM = flags.DEFINE_boolean(
    "slim",
    True,
    "Make each file smaller in the end, without changing an output bit.",
)
_CONVERSION_TIMEOUT_S = flags.DEFINE_float(
    "conversion_timeout_s", 600.0, "A conversion that takes longer is killed."
)


def recipes(automatic: Collection[str] = ()) -> tuple[recipe.Recipe, ...]:
    """Returns the recipes of --recipes, float32 first.

    Args:
        automatic: Names that stand for no recipe of their own.
    """
    names = [name.strip() for name in _RECIPES.value]
    others = recipe.besides(names, automatic)
    return recipe.parse_names(map(str, others), slim=_SLIM.value)


def named(names: Collection[str]) -> tuple[str, ...]:
    """Returns what --recipes has of some names."""
    given = [name.strip() for name in _RECIPES.value]
    return tuple(name for name in dict.fromkeys(given) if name in names)


def slim() -> bool:
    """Returns the value of --slim."""
    return bool(_SLIM.value)


def timeout_s() -> float:
    """Returns the value of --conversion_timeout_s."""
    return _CONVERSION_TIMEOUT_S.value
