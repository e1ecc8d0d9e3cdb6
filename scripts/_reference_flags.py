# SPDX-License-Identifier: Apache-2.0
"""The flags that say how a reference model is built."""

import json

from absl import flags

from tflite_opt.records import errors

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

_MODEL_OPTIONS = flags.DEFINE_list(
    "model_options",
    [],
    "What else a reference model's `build` takes, as NAME=VALUE with a number, "
    "true or false: filters=16.",
)


def model_options() -> dict[str, float | bool]:
    """Returns keyword arguments of a reference model's `build`.

    Raises:
        InputError: If one is not of the form that it must have.
    """
    given = {
        "width_multiplier": _WIDTH_MULTIPLIER.value,
        "sparse_friendly": _SPARSE_FRIENDLY.value,
    }
    known = {key: value for key, value in given.items() if value is not None}
    return known | dict(map(_parse, _MODEL_OPTIONS.value))


def _parse(text: str) -> tuple[str, float | bool]:
    name, _, value = text.partition("=")
    try:
        parsed = json.loads(value.lower())
    except ValueError:
        parsed = None
    if not name.isidentifier() or not isinstance(parsed, bool | int | float):
        raise errors.InputError(
            "`model_options` must be NAME=VALUE with a number, true or false. "
            f"Received: --model_options={text}"
        )
    return name, parsed
