# SPDX-License-Identifier: Apache-2.0
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from sklearn import metrics as sklearn_metrics

from tests.evaluation.metrics import tasks
from tflite_opt.evaluation.metrics import auc, base
from tflite_opt.records import errors


def _auc(scores, labels):
    scores = np.asarray(scores, np.float64).reshape(len(labels), -1)
    return tasks.value(
        auc.Auc(), tasks.statistics(auc.Auc(), scores, np.asarray(labels))
    )


def test_a_tie_counts_half():
    # Pairs: 0.5 against 0.1 right, against 0.5 a tie; 0.9 right twice.
    assert _auc([0.1, 0.5, 0.5, 0.9], [0, 0, 1, 1]) == 3.5 / 4


@hypothesis.settings(deadline=None, max_examples=15)
@hypothesis.given(strategies.integers(0, 2**32), strategies.integers(2, 40))
def test_it_is_that_of_scikit_learn_with_ties(seed, size):
    random = np.random.default_rng(seed)
    labels = np.r_[0, 1, random.integers(2, size=size)]
    scores = random.integers(6, size=len(labels)) / 5
    expected = sklearn_metrics.roc_auc_score(labels, scores)
    assert _auc(scores, labels) == pytest.approx(expected)
    assert _auc(-scores, labels) == pytest.approx(1 - expected)
    assert _auc(scores, 1 - labels) == pytest.approx(1 - expected)


def test_of_two_columns_the_second_less_the_first_is_the_score():
    logits = np.array([[3.0, 1.0], [0.0, 1.0], [5.0, 5.5], [2.0, 2.0]])
    kept = tasks.statistics(auc.Auc(), logits, np.array([0, 1, 1, 0]))
    assert kept["score"].tolist() == [-2, 1, 0.5, 0]
    assert tasks.value(auc.Auc(), kept) == 1


def test_a_resample_is_weighted_as_scikit_learn_weights():
    random = np.random.default_rng(0)
    labels, scores = np.arange(30) % 2, random.integers(9, size=30) / 8
    counts = random.integers(1, 4, size=(5, 30)).astype(float)
    found = auc.Auc().values({"labels": labels, "score": scores}, counts)
    expected = [
        sklearn_metrics.roc_auc_score(labels, scores, sample_weight=row)
        for row in counts
    ]
    assert found == pytest.approx(expected)


def test_few_examples_of_a_class_are_in_every_resample():
    labels = np.zeros(200, np.int64)
    labels[:2] = 1
    scores = np.linspace(1, 0, 200)[:, None]
    found = auc.Auc().measure(tasks.statistics(auc.Auc(), scores, labels))
    assert found.value == found.high == 1
    assert found.low > 0.9


def test_it_is_what_one_score_and_two_classes_ask_for():
    task = tasks.a_task(np.zeros((4, 1)), np.array([0, 1, 1, 0]))
    assert [m.name for m in base.choose("auto", task)] == ["auc"]


@pytest.mark.parametrize(
    ("columns", "labels", "message"),
    [
        (1, [0, 1, 2, 0], "each is 0 or 1, and both occur"),
        (1, [0, 0, 0, 0], "each is 0 or 1, and both occur"),
        (3, [0, 1, 0, 1], "one score, or one for each of two classes"),
    ],
    ids=["three-classes", "one-class", "columns"],
)
def test_refuses_what_has_not_two_classes(columns, labels, message):
    task = tasks.a_task(np.zeros((4, columns)), np.array(labels))
    with pytest.raises(errors.InputError) as caught:
        base.choose("auc", task)
    assert message in str(caught.value)


def test_scores_that_have_no_order_are_refused():
    scores = np.array([[0.1], [np.nan]])
    with pytest.raises(errors.ModelError, match="NaN in the first output"):
        tasks.statistics(auc.Auc(), scores, np.array([0, 1]))
