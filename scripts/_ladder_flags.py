# SPDX-License-Identifier: Apache-2.0
"""The flags of automatic recipes: which ones, and when they stop."""

from absl import flags

from tflite_opt import recipe
from tflite_opt.ladder import request
from tflite_opt.records import errors, ladder

from . import _conversion_flags, _evaluation_flags

_MIN_AGREEMENT = flags.DEFINE_float(
    "min_agreement",
    None,
    "auto_int8 stops when at least this fraction of predictions are the "
    "original's, instead of going by --max_accuracy_drop.",
)
_MAX_DIVERGENCE = flags.DEFINE_float(
    "max_divergence",
    None,
    "Likewise, when the outputs' Kullback-Leibler divergence in nats, or "
    "relative error, on held-out calibration data is at most this.",
)
_MIN_SNR_DB = flags.DEFINE_float(
    "min_snr_db",
    None,
    "Likewise, when the outputs' signal-to-noise ratio is at least this.",
)
_AUTO_TRAINING = flags.DEFINE_boolean(
    "auto_training",
    False,
    "Whether auto_int8 ends with quantization-aware training if nothing else "
    "meets the target.",
)


def recipes() -> tuple[recipe.Recipe, ...]:
    """Returns the recipes of --recipes that are not automatic."""
    return _conversion_flags.recipes(automatic=request.NAMES)


def ladders() -> request.Ladders:
    """Returns the automatic ones.

    Raises:
        InputError: If there are several targets.
    """
    given = {
        "agreement": _MIN_AGREEMENT.value,
        "divergence": _MAX_DIVERGENCE.value,
        "snr_db": _MIN_SNR_DB.value,
    }
    targets = [
        ladder.Target(kind=kind, limit=limit)  # type: ignore[arg-type]
        for kind, limit in given.items()
        if limit is not None
    ]
    if len(targets) > 1:
        raise errors.InputError(
            "Choose one of --min_agreement, --max_divergence and "
            f"--min_snr_db. Received: {', '.join(x.kind for x in targets)}."
        )
    limit = _evaluation_flags.evaluation_options().max_accuracy_drop
    return request.Ladders(
        names=_conversion_flags.named(request.NAMES),
        target=targets[0] if targets else ladder.Target(limit=limit),
        may_train=_AUTO_TRAINING.value,
        slim=_conversion_flags.slim(),
    )
