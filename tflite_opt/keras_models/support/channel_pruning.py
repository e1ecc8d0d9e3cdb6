# SPDX-License-Identifier: Apache-2.0
"""Which channels of each layer can be removed, and which go together."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tflite_opt.keras_models.support import base
from tflite_opt.records import preflight

_MAX_NAMES = 4


class ChannelPruningSupport(base.Support):
    """Finds the groups of channels, just as the technique does."""

    technique: ClassVar[str] = "channel_pruning"

    def examine(self, model: Any, layers: Mapping[str, Any]) -> base.Findings:
        """Returns a verdict for each layer; it goes into nested models."""
        # They walk a model with the help of this package.
        from tflite_opt.keras_models.channels import groups as groups_lib

        found = groups_lib.find(model)
        verdicts = dict.fromkeys(layers, preflight.Verdict(status="neutral"))
        for kept in found.kept:
            verdicts[kept.layer] = preflight.Verdict(
                status="left_out", reason=kept.reason
            )
        for group in found.groups:
            makers = {p.layer for p in (*group.producers, *group.followers)}
            for path in group.layers:
                # What only takes channels in may have its own kept.
                reason = verdicts[path].reason
                verdicts[path] = preflight.Verdict(
                    status="applies",
                    reason=_describe(group) if path in makers else reason,
                )
        return base.Findings(
            verdicts,
            "" if found.groups else "None of its channels can be removed.",
        )


def _describe(group: Any) -> str:
    places = group.producers or group.followers
    makers = list(dict.fromkeys(place.layer for place in places))
    # Attention heads, and channels that a group convolution takes together.
    has_several = any(
        place.weight == "query/kernel" or (place.units == 0).sum() > 1
        for place in places
    )
    noun = "units" if has_several else "channels"
    text = f"{group.size} {noun} of {_names(makers)}"
    if len(makers) > 1:
        text += " go together"
    if group.normalized_by:
        text += f", over which {_names(group.normalized_by)} normalizes"
    return text + "."


def _names(paths: Sequence[str]) -> str:
    shown = list(paths[:_MAX_NAMES])
    if len(paths) > _MAX_NAMES:
        shown.append(f"{len(paths) - _MAX_NAMES} more")
    return ", ".join(shown)
