# SPDX-License-Identifier: Apache-2.0
"""Pruning: most weights become zero while the others are trained on."""

import dataclasses
from typing import Any, ClassVar

from tflite_opt.keras_models import fine_tuning
from tflite_opt.keras_models.pruning import (
    criteria,
    masking,
    proof,
    selection,
)
from tflite_opt.records import compression, errors, pruning, training
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pruning(base.CompressionTechnique):
    """Sets weights to zero, more and more of them, and fine-tunes the rest.

    The file becomes smaller after compression (gzip, an APK) or with sparse
    encoding; latency stays as it is, but for sparse float32 inference on Arm.
    Zeros are exact and survive any quantization.

    The first and the last kernel stay dense where they hold few of the
    weights, and depthwise kernels always do: their weights cost more accuracy
    than bytes. `layers` overrides that.

    Attributes:
        final_sparsity: Fraction of zeros in each pruned kernel, in [0, 1).
        n_of_m: Instead: `(n, m)`, n zeros among each m consecutive weights.
        block_size: `(rows, columns)` of the blocks in which zeros come; see
            `records.pruning.Pattern`.
        layers: From layer names or regular expressions, matched with the whole
            path, to a mapping with their own `final_sparsity`, `n_of_m` or
            `block_size`. `final_sparsity: 0.0` leaves a layer dense.
        criterion: Which weights go first: `magnitude` the smallest, `taylor`
            those on which the loss depends least, to first order; `random` is
            the control.
        schedule: `polynomial` comes to the final sparsity step by step,
            `constant` at once.
        initial_sparsity: At which the polynomial schedule begins.
        begin: Fraction of the training before the first zeros.
        end: Fraction of the training after which no more come.
        frequency: Steps between two choices; None for a twentieth of the way.

    References:
        Zhu and Gupta, "To prune, or not to prune", 2017.
        https://arxiv.org/abs/1710.01878
    """

    technique: ClassVar[str] = "pruning"
    gives: ClassVar[compression.Property | None] = "sparsity"

    final_sparsity: float | None = None
    n_of_m: tuple[int, ...] | None = None
    block_size: tuple[int, ...] | None = None
    layers: dict[str, dict[str, Any]] | None = None
    criterion: pruning.Criterion = "magnitude"
    schedule: pruning.Schedule = "polynomial"
    initial_sparsity: float = 0.0
    begin: float = 0.0
    end: float = 0.5
    frequency: int | None = None

    def __post_init__(self) -> None:
        """Checks the fields against each other.

        Raises:
            InputError: If a value is out of its range or contradicts another.
        """
        super().__post_init__()
        pruning.patterns(self.layers or {})
        final, initial = self.pattern.sparsity, self.timing.initial_sparsity
        if initial > final:
            raise errors.InputError(
                f"`initial_sparsity` must not exceed the final one, {final}. "
                f"Received: initial_sparsity={initial}"
            )

    @property
    def pattern(self) -> pruning.Pattern:
        """How many zeros there are, and where."""
        return pruning.Pattern(
            final_sparsity=self.final_sparsity,
            n_of_m=self.n_of_m,
            block_size=self.block_size,
        )

    @property
    def timing(self) -> pruning.Timing:
        """When the zeros come."""
        return pruning.Timing(
            schedule=self.schedule,
            initial_sparsity=self.initial_sparsity,
            begin=self.begin,
            end=self.end,
            frequency=self.frequency,
        )

    def training_options(
        self, given: training.TrainingOptions
    ) -> training.TrainingOptions:
        """Returns options that keep the last epoch: only it has all zeros."""
        return dataclasses.replace(
            super().training_options(given), keep="last", patience=0
        )

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        """Prunes while fine-tuning."""
        targets = selection.select(
            model, self.pattern, pruning.patterns(self.layers or {})
        )
        options = self.training_options(context.options)
        prune = masking.prune(
            targets,
            self.timing,
            criteria.by_name(
                self.criterion,
                [target.kernel.variable for target in targets],
                model,
                context.train,
                options.seed,
            ),
            masking.num_steps(len(context.train), options),
        )
        history = context.fit(model, options, callbacks=[prune])
        return fine_tuning.Compressed(
            model=model,
            promises=proof.promises(targets, prune.state),
            histories=(history,),
            notes=proof.notes(model, targets),
        )
