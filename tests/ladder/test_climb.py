# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests.ladder import made, own_model
from tflite_opt.conversion import job
from tflite_opt.evaluation import evaluate
from tflite_opt.ladder import climb, request, rungs, trial
from tflite_opt.records import (
    errors,
    ladder,
    training,
    variants,
)
from tflite_opt.report import build, ladder_text

_TARGET = ladder.Target(limit=0.003)


class _Scripted:
    """Gives rungs that were written down, one for each that is tried."""

    def __init__(self, found):
        self._found = iter(found)
        self.tried = []
        self.steps = []

    def make(self, candidate, steps, best):
        self.tried.append(candidate.name)
        self.steps.append((steps, best.name if best else None))
        return dataclasses.replace(next(self._found), name=candidate.name)


def _climbed(monkeypatch, *found, target=_TARGET):
    scripted = _Scripted(found)
    monkeypatch.setattr(trial, "Trials", lambda *_: scripted)
    monkeypatch.setattr(
        climb._Climb,
        "_candidates",
        lambda self: iter(rungs.without_training()),
    )
    climber = climb._Climb(
        "auto_int8",
        request.Ladders(target=target),
        request.Request(
            conversion=None,
            dataset=None,
            evaluation=evaluate.Options(),
            fine_tuning=training.TrainingOptions(),
        ),
        None,
    )
    return climber.climb(), scripted


def _rung(verdict, loss, **fields):
    return made.rung("", verdict=verdict, loss=loss, **fields)


def test_ends_on_the_first_rung_that_meets_the_target(monkeypatch):
    found, scripted = _climbed(
        monkeypatch, _rung("missed", 0.02), _rung("met", 0.001)
    )
    assert scripted.tried == ["int8", "bias_correction"]
    assert (found.chosen, found.verdict) == ("bias_correction", "met")
    assert "meets the target: a loss of at most 0.30%" in found.reason


def test_nothing_stands_on_a_rung_that_does_not_help(monkeypatch):
    found, scripted = _climbed(
        monkeypatch,
        _rung("missed", 0.02),
        _rung("missed", 0.02, outcome="left out"),
        made.rung("", outcome="failed"),
        _rung("met", 0.001),
    )
    steps, best = scripted.steps[-1]
    assert (steps, best) == (rungs.Steps(), "int8")
    assert found.chosen == "dynamic_last_layer"
    assert [x.outcome for x in found.rungs] == [
        "taken",
        "left out",
        "failed",
        "taken",
    ]


def test_without_proof_the_first_good_estimate_is_chosen(monkeypatch):
    found, _ = _climbed(
        monkeypatch,
        _rung("missed", 0.02),
        *[_rung("not provable", 0.001, num_examples=9000)] * 4,
    )
    assert len(found.rungs) == 5
    assert (found.chosen, found.verdict) == ("bias_correction", "not provable")
    assert "too few validation examples to prove it" in found.reason


def test_does_not_climb_for_a_proof_that_is_not_to_be_had(monkeypatch):
    found, _ = _climbed(
        monkeypatch, _rung("not provable", 0.001, num_examples=100)
    )
    assert (found.chosen, len(found.rungs)) == ("int8", 1)


def test_the_smallest_loss_is_left_if_none_meets_the_target(monkeypatch):
    found, _ = _climbed(
        monkeypatch,
        _rung("missed", 0.03),
        _rung("missed", 0.02),
        *[_rung("missed", 0.025)] * 2,
        _rung("missed", 0.01, outcome="left out"),
    )
    assert (found.chosen, found.verdict) == ("bias_correction", "missed")
    assert found.reason.startswith("No rung meets the target")


def test_a_first_rung_that_fails_is_only_not_good_enough(monkeypatch):
    found, scripted = _climbed(
        monkeypatch,
        made.rung("", outcome="failed"),
        _rung("missed", 0.02),
        _rung("met", 0.001),
    )
    assert [best for _, best in scripted.steps] == [
        None,
        None,
        "bias_correction",
    ]
    assert (found.chosen, found.rungs[0].outcome) == ("equalization", "failed")


def test_without_any_rung_there_is_no_ladder(monkeypatch):
    first = made.rung("", outcome="failed", reason="The first one.")
    with pytest.raises(errors.ConversionError, match=r"^The first one\."):
        _climbed(monkeypatch, first, *[made.rung("", outcome="failed")] * 4)


def test_the_log_has_a_line_for_each_rung(monkeypatch):
    found, _ = _climbed(
        monkeypatch,
        _rung("missed", 0.02, same=0.97, divergence=0.0123, snr_db=21.25),
        _rung("met", 0.001),
    )
    title, _, _, first, second, reason = ladder_text.describe(
        found
    ).splitlines()
    assert title == "auto_int8, for a loss of at most 0.30%:"
    for part in ("int8", "taken", "+2.00%", "97.00%", "1.2e-02", "21.2"):
        assert part in first
    assert second.endswith("met")
    assert reason == found.reason
    lines = ladder_text.markdown([found])
    assert lines[:2] == ["## Automatic recipes", ""]
    assert "| int8" in "\n".join(lines)
    assert not ladder_text.markdown([])


@pytest.fixture(scope="module")
def climbed(tmp_path_factory):
    """Two rungs of a user's own `.tflite` for real."""
    run, wanted = own_model.prepared(tmp_path_factory.mktemp("climb"))
    patch = pytest.MonkeyPatch()
    patch.setattr(
        climb._Climb,
        "_candidates",
        lambda self: iter(rungs.without_training()[:2]),
    )
    (found,) = climb.make_variants(
        request.Ladders(
            names=("auto_int8",),
            target=ladder.Target(kind="divergence", limit=0.0),
            slim=False,
        ),
        wanted,
        run,
    )
    patch.undo()
    return run, found


def test_the_chosen_rung_becomes_a_variant_of_the_run(climbed):
    run, found = climbed
    places = build.RunRecords(run)
    log = ladder.Ladder.load(places.ladder("auto_int8"), run.root)
    assert [x.name for x in log.rungs] == ["int8", "bias_correction"]
    assert log.verdict == "missed"
    chosen = log.chosen_rung
    assert chosen.outcome == "taken"
    assert chosen.divergence == min(x.divergence for x in log.rungs)
    assert chosen.validation_agreement.same_predictions > 0.9
    assert chosen.snr_db > 30
    assert found.artifact.name == "auto_int8"
    assert found.artifact.sha256 == chosen.artifact.sha256
    assert found.artifact.path == job.Layout(root=run.root).artifact(
        "auto_int8"
    )
    assert found.notes[-1] == log.reason
    listed = variants.Conversion.load(places.conversion, run.root)
    assert listed.names == ("float32", "auto_int8")
    assert places.tensor_errors("auto_int8").exists()


@pytest.mark.parametrize(
    ("left_out", "scanned"),
    [
        ((), "artifacts/prepared/auto_int8.rounding.0.tflite"),
        (("equalization",), "plain.tflite"),
    ],
    ids=["equalized", "as it is"],
)
def test_operations_are_looked_for_in_what_equalization_left(
    climbed, monkeypatch, caplog, left_out, scanned
):
    run, _ = climbed
    found = []

    def refuse(path, *_):
        found.append(path)
        raise errors.ModelError("It has a loop.")

    monkeypatch.setattr(climb.sensitivity, "scan", refuse)
    scripted = _Scripted([_rung("missed", 0.02)] * 5)
    scripted.parent, scripted.fitting = run.root / "plain.tflite", {}
    monkeypatch.setattr(trial, "Trials", lambda *_: scripted)
    wanted = request.Ladders(target=_TARGET, left_out=left_out)
    asked = request.Request(
        conversion=None,
        dataset=None,
        evaluation=evaluate.Options(),
        fine_tuning=training.TrainingOptions(),
    )
    climb._Climb("auto_int8", wanted, asked, run).climb()
    assert found == [run.root / scanned]
    assert "auto_int8: no operations in float: It has a loop." in caplog.text
