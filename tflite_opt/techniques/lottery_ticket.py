# SPDX-License-Identifier: Apache-2.0
"""Lottery tickets: prune, go back to early weights, train again; repeat."""

import dataclasses
from typing import Any, ClassVar, Literal

from tflite_opt.keras_models import fine_tuning, training
from tflite_opt.keras_models.pruning import (
    criteria,
    masking,
    proof,
    selection,
)
from tflite_opt.keras_models.support import base as support_base
from tflite_opt.records import compression, errors, pruning
from tflite_opt.records import training as training_record
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class LotteryTicket(base.CompressionTechnique):
    """Finds a sparse network that trains well from its early weights.

    The model is trained, its smallest weights become zero, the others go back
    to what they were early in training, and that is trained again; each round
    removes the same fraction of what is left. It takes `rounds` + 1 whole
    trainings, and a rate and epochs that are enough to train from nothing.

    Kernels are left dense as by pruning.

    Attributes:
        final_sparsity: Fraction of zeros in each pruned kernel, in (0, 1).
        rounds: How often weights are removed; at least 1.
        rewind_epochs: Epochs after which weights are early; 0 for the initial
            ones, the original lottery ticket.
        start: `random` forgets the weights that the model came with and
            trains from new ones; `given` begins with them, for models whose
            first training cannot be repeated.
        layers: As in pruning, without `n_of_m` and `block_size`.

    References:
        Frankle and Carbin, "The Lottery Ticket Hypothesis", 2019.
        https://arxiv.org/abs/1803.03635
        Frankle et al., "Stabilizing the Lottery Ticket Hypothesis", 2019.
        https://arxiv.org/abs/1903.01611
    """

    technique: ClassVar[str] = "lottery_ticket"
    gives: ClassVar[compression.Property | None] = "sparsity"

    final_sparsity: float
    rounds: int = 3
    rewind_epochs: int = 1
    start: Literal["random", "given"] = "random"
    layers: dict[str, dict[str, Any]] | None = None

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a value is out of its range.
        """
        super().__post_init__()
        pruning.check_sparsity("final_sparsity", self.final_sparsity)
        for name, least in (("rounds", 1), ("rewind_epochs", 0)):
            value = getattr(self, name)
            if value < least:
                raise errors.InputError(
                    f"`{name}` must be at least {least}. "
                    f"Received: {name}={value}"
                )
        for key, pattern in pruning.patterns(self.layers or {}).items():
            if pattern.n_of_m or pattern.block_size:
                raise errors.InputError(
                    "Lottery tickets have no groups or blocks of zeros. "
                    f"Received: layers={key!r}: {self.layers[key]}. "  # type: ignore[index]
                    "Use pruning for those."
                )

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        """Trains, prunes and rewinds."""
        options = self.training_options(context.options)
        if self.start == "random":
            model = _with_new_weights(model, options.seed)
        targets = selection.select(
            model,
            pruning.Pattern(final_sparsity=self.final_sparsity),
            pruning.patterns(self.layers or {}),
        )
        masks = masking.Masking(targets)
        score = criteria.magnitude([t.kernel.variable for t in targets])
        histories = []
        if self.rewind_epochs:
            histories.append(context.fit(model, self._early(options)))
        early = model.get_weights()
        histories.append(context.fit(model, options))
        for finished in range(1, self.rounds + 1):
            masks.choose(
                [
                    _sparsity_after(finished, self.rounds, t.pattern.sparsity)
                    for t in targets
                ],
                score,
            )
            model.set_weights(early)
            masks.apply()
            histories.append(
                context.fit(model, options, callbacks=[masking.keep(masks)])
            )
        return fine_tuning.Compressed(
            model=model,
            promises=proof.promises(targets, masks.state),
            histories=tuple(histories),
            notes=proof.notes(model, targets),
        )

    def _early(
        self, options: training_record.TrainingOptions
    ) -> training_record.TrainingOptions:
        """Returns how the weights are trained that are gone back to."""
        return dataclasses.replace(
            options,
            epochs=self.rewind_epochs,
            learning_rate_schedule="constant",
            keep="last",
            patience=0,
        )


def _sparsity_after(finished: int, rounds: int, final_sparsity: float) -> float:
    """Returns a sparsity at which each round keeps the same fraction."""
    if finished == rounds:
        return final_sparsity
    return 1 - (1 - final_sparsity) ** (finished / rounds)


def _with_new_weights(model: Any, seed: int) -> Any:
    import tf_keras as keras

    training.make_reproducible(seed)
    try:
        return keras.models.clone_model(model)
    except support_base.refusals() as error:
        raise errors.ModelError(
            "New weights need layers that can be made again from their "
            f"configuration. Received: {model.name!r}: "
            f"{support_base.first_line(error)} Use start=given."
        ) from error
