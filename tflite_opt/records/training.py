# SPDX-License-Identifier: Apache-2.0
"""How a model was trained, and how that went."""

import dataclasses
import pathlib
from typing import Literal

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import errors, evaluation, serialization

LearningRateSchedule = Literal["cosine", "constant"]
Augmentation = Literal["none", "shift", "shift_flip"]
KeptWeights = Literal["best", "last"]
Objective = Literal["classification", "reconstruction"]
Strategy = Literal["none", "mirrored"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Distillation(serialization.Record):
    """How a model learns from a teacher while it is trained.

    The loss of an example is `(1 - weight) * own + weight * taught +
    feature_weight * features`. For a classifier, `own` is the cross-entropy of
    its label and `taught` is `temperature ** 2` times the Kullback-Leibler
    divergence of the teacher's softened probabilities from the student's. For
    a reconstruction both are mean squared errors.

    Attributes:
        temperature: Divides the logits of both before their softmax; positive.
            The higher, the more the wrong classes of an example teach.
        weight: Of the teacher's outputs, in [0, 1].
        features: Layers whose outputs should tell examples apart alike: from a
            layer of the student to one of the teacher. They may have different
            shapes: what is compared is how similar the examples of a batch
            are to each other.
        feature_weight: Of each pair of `features`; not negative.

    References:
        Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.
        https://arxiv.org/abs/1503.02531
        Tung and Mori, "Similarity-Preserving Knowledge Distillation", 2019.
        https://arxiv.org/abs/1907.09682
    """

    temperature: float = 4.0
    weight: float = 0.5
    features: dict[str, str] = dataclasses.field(default_factory=dict)
    feature_weight: float = 1.0

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a value is out of its range.
        """
        super().__post_init__()
        if not self.temperature > 0:
            raise errors.InputError(
                "`temperature` must be positive. "
                f"Received: temperature={self.temperature}"
            )
        if not 0 <= self.weight <= 1:
            raise errors.InputError(
                f"`weight` must be in [0, 1]. Received: weight={self.weight}"
            )
        if self.feature_weight < 0:
            raise errors.InputError(
                "`feature_weight` must not be negative. "
                f"Received: feature_weight={self.feature_weight}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingOptions(serialization.Record):
    """What the training loop needs to know.

    Attributes:
        epochs: Most passes over the train split; at least 1.
        batch_size: Examples per step; at least 1.
        learning_rate: Of Adam, at the first step; positive.
        learning_rate_schedule: `cosine` falls to 0 at the last step of the
            last epoch; `constant` stays.
        patience: Epochs without a better validation result after which
            training stops; 0 never stops early.
        seed: Of initial random numbers, the order of examples and
            augmentation; not negative.
        augmentation: `shift` moves images by up to an eighth of their sides,
            `shift_flip` mirrors half of them too.
        label_smoothing: Probability taken from the true class and spread over
            all classes, in [0, 1). Classification only.
        keep: Weights of the epoch with the best validation result, or of the
            last epoch (a pruning schedule is only complete there).
        class_weights: Factor of the loss of each class's examples while
            training, not negative; empty for 1. Classification only.
        balance_classes: Takes such factors that all classes count the same,
            however many examples they have, and that are 1 on average.
        strategy: `mirrored` trains on all GPUs of this machine at a time;
            `batch_size` is what they take together.
        tensorboard_dir: Where logs for TensorBoard go, one directory for each
            training; None for no logs.
    """

    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3
    learning_rate_schedule: LearningRateSchedule = "cosine"
    patience: int = 0
    seed: int = 0
    augmentation: Augmentation = "none"
    label_smoothing: float = 0.0
    keep: KeptWeights = "best"
    class_weights: tuple[float, ...] = ()
    balance_classes: bool = False
    strategy: Strategy = "none"
    tensorboard_dir: pathlib.Path | None = None

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a value is out of its range.
        """
        super().__post_init__()
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise errors.InputError(
                    f"`{name}` must be at least 1. "
                    f"Received: {name}={getattr(self, name)}"
                )
        for name in ("patience", "seed"):
            if getattr(self, name) < 0:
                raise errors.InputError(
                    f"`{name}` must not be negative. "
                    f"Received: {name}={getattr(self, name)}"
                )
        if not self.learning_rate > 0:
            raise errors.InputError(
                "`learning_rate` must be positive. "
                f"Received: learning_rate={self.learning_rate}"
            )
        if not 0 <= self.label_smoothing < 1:
            raise errors.InputError(
                "`label_smoothing` must be in [0, 1). "
                f"Received: label_smoothing={self.label_smoothing}"
            )
        self._check_class_weights()

    def without_logs(self) -> "TrainingOptions":
        """Returns what decides the weights that a training ends with."""
        return dataclasses.replace(self, tensorboard_dir=None)

    def _check_class_weights(self) -> None:
        weights = self.class_weights
        if weights and self.balance_classes:
            raise errors.InputError(
                "`balance_classes` chooses the class weights, so "
                "`class_weights` must be empty. "
                f"Received: class_weights={weights}"
            )
        if weights and (min(weights) < 0 or not any(weights)):
            raise errors.InputError(
                "`class_weights` must not be negative nor all 0. "
                f"Received: class_weights={weights}"
            )


# Trained weights move little; a rate for random ones would forget them.
FINE_TUNING = TrainingOptions(epochs=5, learning_rate=2e-4)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingHistory(serialization.Record):
    """What one call of the training loop did; one value for each epoch.

    Attributes:
        options: What it was asked to do.
        loss: On the train split while training, with augmentation.
            Cross-entropy of a classification, mean squared error of a
            reconstruction.
        accuracy: Likewise; empty for a reconstruction.
        validation_loss: After each epoch.
        validation_accuracy: After each epoch; empty for a reconstruction.
        kept_epoch: Epoch whose weights the model has, counted from 1.
        steps: Weight updates in all.
        num_train: Examples of the train split.
        num_validation: Examples of the validation split that were looked at.
        seconds: Wall time of all epochs.
        objective: What the model was trained for.
    """

    options: TrainingOptions
    loss: tuple[float, ...]
    accuracy: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]
    kept_epoch: int
    steps: int
    num_train: int
    num_validation: int
    seconds: float
    objective: Objective = "classification"

    @property
    def epochs(self) -> int:
        """Number of epochs that were run."""
        return len(self.loss)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainedModel(serialization.Record):
    """A reference model, trained, with the evidence of how good it is.

    Attributes:
        artifact: The file.
        model: Name of the reference model.
        model_options: What it was built with beside what the data decide.
        dataset: Name of the data set.
        data_seed: Of its splits.
        data_limit: Cap on the examples of each split; 0 for none.
        parameters: Weights of the model, trainable or not.
        history: The training.
        test: Top-1 accuracy of a classifier, or how well the reconstruction
            error tells anomalies from normal examples (AUC), on the test
            split, looked at once, at the end.
        num_test: Examples of the test split.
        test_fingerprint: Hash of the test split.
        versions: Of the packages that made it.
    """

    artifact: artifact_record.Artifact
    model: str
    model_options: dict[str, float | bool]
    dataset: str
    data_seed: int
    data_limit: int
    parameters: int
    history: TrainingHistory
    test: evaluation.Metric
    num_test: int
    test_fingerprint: str
    versions: dict[str, str]
