# SPDX-License-Identifier: Apache-2.0
"""BLEU of token sequences, through sacrebleu."""

from typing import Any

import numpy as np

from tflite_opt import optional_package
from tflite_opt.evaluation.metrics import base, resampled
from tflite_opt.evaluation.metrics import task as task_lib

_ORDER = 4


class Bleu(resampled.Resampled):
    """Corpus BLEU up to 4-grams, with token ids for words.

    The first output holds ids, shape `(n, tokens)`, or scores of which the
    best are taken, shape `(n, tokens, vocabulary)`. Labels are ids, shape
    `(n, tokens)`. Padding, 0, is dropped on both sides. The value is a
    fraction, not a number up to 100; it is that of the model's own tokens, so
    compare it between variants, not with published figures.

    Keeps `ngrams`, shape `(n, 10)`, int64: matches and n-grams of each order,
    and the lengths of output and label.

    References:
        Post, "A Call for Clarity in Reporting BLEU Scores", 2018.
        https://arxiv.org/abs/1804.08771
    """

    name = "bleu"
    higher_is_better = True
    is_fraction = True

    @classmethod
    def create(cls, argument: str) -> base.Metric:
        """Needs sacrebleu."""
        optional_package.require("sacrebleu", f"The metric {cls.name}")
        return super().create(argument)

    def check(self, task: task_lib.Task) -> None:
        """Needs sequences on both sides."""
        self.require(
            task.labels is not None and task.labels.ndim == 2,
            "token ids (n, tokens) as labels, padded with 0",
            task,
        )
        self.require(
            len(task.output_shape) in (1, 2),
            "a first output of token ids (n, tokens), or of their scores "
            "(n, tokens, vocabulary)",
            task,
        )

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns the counts that BLEU is made of."""
        from sacrebleu.metrics import bleu

        counter = bleu.BLEU(tokenize="none", effective_order=True)
        ids = batch.output
        if ids.ndim == 3:
            ids = ids.argmax(axis=-1)
        rows = [
            _counts(counter, found, wanted)
            for found, wanted in zip(ids, batch.truth, strict=True)
        ]
        return {"ngrams": np.array(rows, np.int64)}

    def values(
        self, statistics: base.Statistics, counts: np.ndarray
    ) -> np.ndarray:
        """Returns BLEU of the added counts."""
        from sacrebleu.metrics import bleu

        sums = (counts @ statistics["ngrams"]).astype(np.int64).tolist()
        scores = [
            bleu.BLEU.compute_bleu(
                correct=row[:_ORDER],
                total=row[_ORDER : 2 * _ORDER],
                sys_len=row[-2],
                ref_len=row[-1],
            ).score
            for row in sums
        ]
        return np.array(scores) / 100


def _counts(counter: Any, found: np.ndarray, wanted: np.ndarray) -> list[int]:
    score = counter.sentence_score(_text(found), [_text(wanted)])
    return [*score.counts, *score.totals, score.sys_len, score.ref_len]


def _text(ids: np.ndarray) -> str:
    return " ".join(str(x) for x in np.rint(ids).astype(np.int64) if x != 0)
