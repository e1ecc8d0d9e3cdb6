# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.evaluation.metrics import tasks
from tflite_opt.evaluation.metrics import base
from tflite_opt.records import errors

sacrebleu = pytest.importorskip("sacrebleu")

_RANDOM = np.random.default_rng(0)
_LABELS = _RANDOM.integers(1, 30, size=(12, 9))
_LABELS[:, 7:] *= _RANDOM.integers(2, size=(12, 2))
_OUTPUT = np.where(_RANDOM.random((12, 9)) < 0.8, _LABELS, 5)


def _words(ids):
    return [" ".join(str(x) for x in row if x) for row in ids]


def test_it_is_the_corpus_score_of_sacrebleu():
    metric = base.named("bleu")
    found = metric.measure(tasks.statistics(metric, _OUTPUT, _LABELS))
    expected = sacrebleu.corpus_bleu(
        _words(_OUTPUT), [_words(_LABELS)], tokenize="none"
    )
    assert found.value == pytest.approx(expected.score / 100)
    assert 0 < found.low < found.value < found.high < 1


def test_the_best_of_scores_are_taken():
    metric = base.named("bleu")
    kept = tasks.statistics(metric, np.eye(30)[_OUTPUT], _LABELS)
    expected = tasks.statistics(metric, _OUTPUT, _LABELS)
    assert (kept["ngrams"] == expected["ngrams"]).all()


def test_refuses_labels_that_are_no_sequences():
    task = tasks.a_task(_OUTPUT, _LABELS[:, 0])
    with pytest.raises(errors.DataError, match=r"token ids \(n, tokens\)"):
        base.choose("bleu", task)
