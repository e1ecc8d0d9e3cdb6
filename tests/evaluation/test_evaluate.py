# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from tests import factories
from tflite_opt.data import dataset, sources
from tflite_opt.evaluation import evaluate
from tflite_opt.evaluation.metrics import top_k
from tflite_opt.records import artifact, errors


def _model(run, name):
    return artifact.describe(
        run.path("artifacts", f"{name}.tflite"), format="tflite"
    )


@pytest.fixture(scope="module")
def split():
    return sources.load(dataset.DataSpec(source="digits"))["validation"]


def _evaluate(item, split, tmp_path, metric="auto", **fields):
    return evaluate.evaluate(
        item,
        split,
        dataset="digits",
        predictions_path=tmp_path / f"{item.name}.npz",
        options=evaluate.Options(metric=metric),
        **fields,
    )


def test_any_number_of_workers_gives_the_same_predictions(
    finished_run, split, tmp_path
):
    for workers in (1, 3):
        evaluate.evaluate(
            _model(finished_run, "int8"),
            split,
            dataset="digits",
            predictions_path=tmp_path / f"{workers}.npz",
            options=evaluate.Options(num_workers=workers),
        )
    first, second = (tmp_path / f"{n}.npz" for n in (1, 3))
    assert first.read_bytes() == second.read_bytes()


def test_a_model_loses_nothing_against_itself(finished_run, split, tmp_path):
    item = _model(finished_run, "int8")
    baseline = _evaluate(item, split, tmp_path)
    drop = _evaluate(item, split, tmp_path, baseline=baseline).drop
    assert drop.value == 0
    assert drop.low == pytest.approx(-drop.high)
    assert drop.only_baseline_correct == drop.only_candidate_correct == 0
    assert baseline.drop is None


def test_another_split_is_no_baseline(finished_run, split, tmp_path):
    item = _model(finished_run, "int8")
    half = split.take(np.arange(len(split) // 2), "validation")
    baseline = _evaluate(item, half, tmp_path)
    with pytest.raises(errors.DataError, match="the same examples"):
        _evaluate(item, split, tmp_path, baseline=baseline)


def test_labels_outside_the_classes_are_refused(finished_run, split, tmp_path):
    wrong = dataset.Split(
        name="test",
        inputs=split.inputs,
        labels=split.labels + 3,
        ids=split.ids,
    )
    with pytest.raises(errors.DataError, match="labels from 3 to 12"):
        _evaluate(_model(finished_run, "int8"), wrong, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_data_of_another_shape_are_refused(finished_run, split, tmp_path):
    wrong = dataset.Split(
        name="test",
        inputs={"image": np.zeros((len(split), 9, 9, 1), np.float32)},
        labels=split.labels,
        ids=split.ids,
    )
    with pytest.raises(errors.DataError, match=r"\(9, 9, 1\)"):
        _evaluate(_model(finished_run, "int8"), wrong, tmp_path)


@pytest.mark.parametrize(
    ("lost", "won", "total", "verdict"),
    [
        (0, 0, 10_000, "within"),
        (0, 0, 450, "not provable"),
        (50, 0, 450, "exceeded"),
    ],
)
def test_the_verdict_needs_the_whole_interval(
    tmp_path, lost, won, total, verdict
):
    labels = np.zeros(total, np.int64)
    candidate = np.zeros(total, np.int64)
    candidate[:lost] = 1
    predictions = np.zeros(total, np.int64)
    predictions[total - won :] = 1
    path = tmp_path / "baseline.npz"
    np.savez(path, labels=labels, predictions=predictions)
    baseline = factories.evaluated(
        factories.tflite("float32"), predictions_path=path, num_examples=total
    )
    statistics = {"labels": labels, "predictions": candidate}
    drop = evaluate.metric_drop(top_k.Top1(), statistics, baseline, "f", 0.005)
    assert drop.verdict == verdict
    assert (drop.examples_needed is None) == (verdict != "not provable")


def _outputs(run, split):
    with np.load(run.path("float", f"original_outputs.{split}.npz")) as stored:
        return dict(stored)


def _unlabelled(split):
    return dataset.Split(
        name=split.name, inputs=split.inputs, labels=None, ids=split.ids
    )


def test_without_labels_models_are_compared_with_the_original(
    finished_run, split, tmp_path
):
    examples, originals = _unlabelled(split), _outputs(finished_run, split.name)
    baseline = _evaluate(
        _model(finished_run, "float32"),
        examples,
        tmp_path,
        original_outputs=originals,
    )
    found = _evaluate(
        _model(finished_run, "int4"),
        examples,
        tmp_path,
        original_outputs=originals,
        baseline=baseline,
    )
    assert not found.is_labelled
    assert [metric.name for metric in found.metrics] == ["agreement"]
    assert found.metric.value == found.agreement.same_predictions
    assert baseline.metric.value == 1
    assert found.drop.value == pytest.approx(1 - found.metric.value)
    with np.load(found.predictions_path) as stored:
        assert sorted(stored) == ["ids", "same_prediction"]


def test_without_labels_and_original_nothing_can_be_said(
    finished_run, split, tmp_path
):
    with pytest.raises(errors.DataError, match="--original_outputs"):
        _evaluate(_model(finished_run, "int8"), _unlabelled(split), tmp_path)


def test_a_metric_that_does_not_fit_is_refused_before_anything_is_written(
    finished_run, split, tmp_path
):
    with pytest.raises(errors.DataError, match="mean_iou needs class maps"):
        _evaluate(
            _model(finished_run, "int8"), split, tmp_path, metric="mean_iou"
        )
    assert list(tmp_path.iterdir()) == []


def test_another_metric_is_no_baseline(finished_run, split, tmp_path):
    item = _model(finished_run, "int8")
    baseline = _evaluate(item, split, tmp_path, metric="top5")
    with pytest.raises(errors.DataError, match="top1, and top5 of the base"):
        _evaluate(item, split, tmp_path, baseline=baseline)


def test_inputs_are_asked_for_batch_by_batch(
    finished_run, split, tmp_path, monkeypatch
):
    class Lazy:
        """Examples of which at most a batch may be looked at."""

        def __init__(self, values):
            self.values, self.largest = values, 0
            self.shape, self.dtype = values.shape, values.dtype
            self.ndim = values.ndim

        def __len__(self):
            return len(self.values)

        def __getitem__(self, chosen):
            found = self.values[chosen]
            self.largest = max(self.largest, len(found))
            return found

    item, values = _model(finished_run, "int8"), Lazy(split.inputs["image"])
    lazy = dataclasses.replace(split, inputs={"image": values})
    monkeypatch.setattr(dataset.Split, "fingerprint", lambda self: "f")
    found = _evaluate(item, lazy, tmp_path)
    assert found.metrics == _evaluate(item, split, tmp_path).metrics
    assert 0 < values.largest <= 32


@pytest.mark.parametrize("name", ["top2", "top1:3", "python:math"])
def test_an_unknown_metric_is_refused_at_once(name):
    with pytest.raises(errors.InputError, match="Received: "):
        evaluate.Options(metric=name)


@pytest.mark.parametrize("value", [-0.1, 1.0, 5])
def test_a_limit_that_is_no_fraction_is_refused(value):
    with pytest.raises(errors.InputError, match="max_accuracy_drop"):
        evaluate.Options(max_accuracy_drop=value)
