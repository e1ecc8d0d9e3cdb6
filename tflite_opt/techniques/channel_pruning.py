# SPDX-License-Identifier: Apache-2.0
"""Channel pruning: narrower layers, smaller and faster everywhere."""

import dataclasses
import pathlib
import tempfile
from typing import Any, ClassVar, get_args

from tflite_opt.keras_models import fine_tuning, kernels, loading, saving
from tflite_opt.keras_models.channels import (
    costs,
    depth,
    groups,
    narrowing,
)
from tflite_opt.keras_models.channels import macs as macs_lib
from tflite_opt.records import (
    channel_budget,
    compression,
    errors,
    training,
)
from tflite_opt.records import channels as channels_record
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelPruning(base.CompressionTechnique):
    """Removes whole channels, and fine-tunes what is left.

    The result is an ordinary, smaller model without masks: its file is
    smaller and its latency lower on any processor, in any dtype. Channels
    that several layers share, as the sums of residual blocks do, go from all
    of them. Other techniques come after it.

    How much is left is said by exactly one of `channels`, `macs`,
    `parameters`, `file_bytes` and `latency`: a fraction, in (0, 1), of what
    the whole model has.

    Attributes:
        channels: Of the channels that can be removed.
        macs: Of the multiply-accumulates.
        parameters: Of the parameters.
        file_bytes: Of the bytes of the slimmed `.tflite`.
        latency: Of the latency on this machine, with one thread and XNNPACK.
            The result is within 10 % of it, but for small models, which steps
            of `round_to` may leave further below.
        dtype: Of the file that `file_bytes` and `latency` are about; the
            recipe must convert to it.
        criterion: Which channels matter: see `records.channels.Criterion`.
        ranking: `global` ranks all channels together, `per_layer` takes the
            same fraction of all layers.
        min_fraction: Of the channels of each layer that stay at least.
        round_to: Widths are multiples of it; kernels compute 8 channels at a
            time.
        protected: Names or regular expressions, matched with the whole path,
            of layers that stay as wide as they are.
        rounds: How often channels are removed, the same fraction of them each
            time.
        round_epochs: Epochs of fine-tuning after each round but the last.
        blocks: Residual blocks that are removed first, those without which
            the outputs change least.

    References:
        Molchanov et al., "Importance Estimation for Neural Network Pruning",
        2019. https://arxiv.org/abs/1906.10771
    """

    technique: ClassVar[str] = "channel_pruning"
    resizes_layers: ClassVar[bool] = True

    channels: float | None = None
    macs: float | None = None
    parameters: float | None = None
    file_bytes: float | None = None
    latency: float | None = None
    dtype: channel_budget.Dtype = "int8"
    criterion: channels_record.Criterion = "taylor"
    ranking: channel_budget.Ranking = "global"
    min_fraction: float = 0.1
    round_to: int = 8
    protected: tuple[str, ...] = ()
    rounds: int = 1
    round_epochs: int = 1
    blocks: int = 0

    def __post_init__(self) -> None:
        """Checks the fields against each other.

        Raises:
            InputError: If a value is out of its range or contradicts another.
        """
        super().__post_init__()
        self._require_bounds()
        kernels.check_patterns(self.protected)

    def _require_bounds(self) -> None:
        # Makes it, so that it is checked.
        _ = self.budget
        if not 0 <= self.min_fraction < 1:
            raise errors.InputError(
                "`min_fraction` must be in [0, 1). "
                f"Received: min_fraction={self.min_fraction}"
            )
        for name, least in (
            ("round_to", 1),
            ("rounds", 1),
            ("round_epochs", 1),
            ("blocks", 0),
        ):
            value = getattr(self, name)
            if value < least:
                raise errors.InputError(
                    f"`{name}` must be at least {least}. "
                    f"Received: {name}={value}"
                )

    @property
    def budget(self) -> channel_budget.Budget:
        """What is left of the model."""
        return channel_budget.only(
            {
                kind: getattr(self, kind)
                for kind in get_args(channel_budget.Kind)
            }
        )

    @property
    def measured_in_integers(self) -> bool | None:
        """Whether the budget is about an int8 file; None if about none."""
        if self.budget.kind not in channel_budget.MEASURED:
            return None
        return self.dtype == "int8"

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        """Removes channels, in rounds, and fine-tunes."""
        options = self.training_options(context.options)
        found = narrowing.find_groups(model, self.protected)
        before = macs_lib.count(model, found)
        notes: tuple[str, ...] = ()
        with tempfile.TemporaryDirectory() as folder:
            whole = self._costs(model, found, context, pathlib.Path(folder))
            if self.blocks:
                model, removed = depth.remove(
                    model, self.blocks, self.protected, context.calibration
                )
                notes = (f"Residual blocks removed: {', '.join(removed)}.",)
            histories = []
            for finished in range(1, self.rounds + 1):
                model = self._narrowed(model, whole, finished, context)
                histories.append(
                    context.fit(model, self._options_of(finished, options))
                )
            left = self._require_met(model, whole)
        after = macs_lib.count(model, groups.find(model))
        shrinkage = compression.Shrinkage(
            macs_before=before.macs,
            macs=after.macs,
            parameters_before=before.parameters,
            parameters=after.parameters,
        )
        return fine_tuning.Compressed(
            model=model,
            histories=tuple(histories),
            notes=(*notes, left, shrinkage.describe()),
            shrinkage=shrinkage,
        )

    def _narrowed(
        self,
        model: Any,
        whole: costs.Costs,
        finished: int,
        context: fine_tuning.Context,
    ) -> Any:
        """Returns the model of a round, the one of before an interruption.

        What is measured differs a little each time, and other widths would
        have to be trained from the start.
        """
        folder = context.checkpoint_dir
        kept = None if folder is None else folder / f"narrowed{finished}.h5"
        if kept is not None and kept.exists():
            return loading.load(kept)
        narrow = narrowing.narrow(
            model,
            whole,
            self.budget.after(finished, self.rounds),
            self._settings(context.options),
            context.train,
            confirm=finished == self.rounds,
        )
        if kept is not None:
            saving.save(narrow, kept)
        return narrow

    def _options_of(
        self, finished: int, options: training.TrainingOptions
    ) -> training.TrainingOptions:
        if finished == self.rounds:
            return options
        return dataclasses.replace(options, epochs=self.round_epochs)

    def _require_met(self, model: Any, whole: costs.Costs) -> str:
        """Measures what is left; returns a sentence."""
        kind, fraction = self.budget.kind, self.budget.fraction
        left = whole.measure(model) / whole.whole
        allowed = whole.tolerance.highest if whole.tolerance else 1.0
        self.require(
            left <= allowed * fraction,
            f"leave {kind}={fraction:g}",
            f"{kind}={left:.4f}",
        )
        return f"Asked for {kind}={fraction:g}, {left:.3f} is left."

    def _settings(
        self, options: training.TrainingOptions
    ) -> narrowing.Settings:
        return narrowing.Settings(
            criterion=self.criterion,
            ranking=self.ranking,
            min_fraction=self.min_fraction,
            round_to=self.round_to,
            protected=self.protected,
            seed=options.seed,
        )

    def _costs(
        self,
        model: Any,
        found: groups.Groups,
        context: fine_tuning.Context,
        folder: pathlib.Path,
    ) -> costs.Costs:
        kind = self.budget.kind
        if kind not in channel_budget.MEASURED:
            return costs.Counted(kind, model, found)
        if context.converter is None:
            raise errors.InputError(
                f"`{kind}` needs a converter of trial files. "
                "Received: converter=None."
            )
        return costs.Measured(
            kind, model, self.dtype, context.converter, folder
        )
