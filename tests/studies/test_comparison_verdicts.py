# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests import factories
from tflite_opt import intervals
from tflite_opt.benchmark import desktop
from tflite_opt.records import benchmark, errors
from tflite_opt.studies import comparison_verdicts, study
from tflite_opt.tflite import facts

_FACTORS = {"a": 1.0, "a.again": 1.0, "b": 1.05}


class _FakeRunner:
    """Launches with a spread of half a percent, by the seed."""

    def run(self, artifacts, options, directory):
        random = np.random.default_rng(options.seed)
        return [
            factories.result(
                item,
                options=options,
                launches=factories.launches(
                    _FACTORS[item.name] * np.exp(random.normal(0, 0.005, 10)),
                    turn=turn,
                ),
            )
            for turn, item in enumerate(artifacts)
        ]


class _FailingRunner:
    def run(self, artifacts, options, directory):
        return [
            benchmark.BenchmarkFailure(artifact=item, message="It crashed.")
            for item in artifacts
        ]


@pytest.fixture
def setup():
    return comparison_verdicts.Setup(
        baseline=factories.tflite("a"),
        slower=factories.tflite("b"),
        options=benchmark.RuntimeOptions(seed=7),
        margin=0.03,
        comparisons={"against_itself": 3, "against_slower": 2},
    )


def test_each_comparison_is_a_cell_with_a_seed_of_its_own(
    setup, tmp_path, monkeypatch
):
    monkeypatch.setattr(desktop, "DesktopRunner", _FakeRunner)
    cells = comparison_verdicts.cells(setup)
    assert list(cells) == [
        "against_itself.000",
        "against_itself.001",
        "against_itself.002",
        "against_slower.000",
        "against_slower.001",
    ]
    found = study.run("comparisons", cells, tmp_path, rounds=10, redo=False)
    seeds = [record.values["seed"] for record in found.values()]
    assert seeds == [7, 8, 9, 7, 8]
    assert found["against_slower.000"].values["ratio"] == pytest.approx(
        1.05, rel=0.01
    )


def test_the_page_has_rates_and_says_what_is_missing(
    setup, tmp_path, monkeypatch
):
    monkeypatch.setattr(desktop, "DesktopRunner", _FakeRunner)
    cells = comparison_verdicts.cells(setup)
    chosen = {
        name: cell
        for name, cell in cells.items()
        if name != "against_itself.001"
    }
    study.run("comparisons", chosen, tmp_path, rounds=10, redo=False)
    found = study.load(cells, tmp_path)
    lines = list(comparison_verdicts.describe(found))
    low, high = intervals.clopper_pearson(0, 2)
    assert (
        "| against_itself | 2 | 1 | 2 | 0 | 0 | 0 | false verdicts | 0.0% | "
        f"{low:.1%}-{high:.1%} |  |" in lines
    )
    (slower,) = [x for x in lines if x.startswith("| against_slower |")]
    assert slower.startswith("| against_slower | 2 | 0 |")
    assert "| against_itself.001 | missing | | | | |" in lines
    assert any(x.startswith("| against_itself.002 | ") for x in lines)


def test_nothing_done_is_no_rate(setup):
    cells = comparison_verdicts.cells(setup)
    lines = list(comparison_verdicts.describe(dict.fromkeys(cells)))
    assert (
        "| against_itself | 0 | 3 | 0 | 0 | 0 | 0 | false verdicts | missing "
        "|  |  |" in lines
    )


def test_a_model_that_cannot_be_measured_ends_the_study(setup, monkeypatch):
    monkeypatch.setattr(desktop, "DesktopRunner", _FailingRunner)
    with pytest.raises(errors.BenchmarkError, match="It crashed."):
        comparison_verdicts.cells(setup)["against_slower.000"]()


def test_the_models_differ_by_one_layer_in_twenty(tmp_path):
    models = comparison_verdicts.prepare_in_child(tmp_path)
    before, after = (
        facts.read_facts(item.path, delegation=False) for item in models
    )
    assert before.operator_counts == {"FULLY_CONNECTED": 20}
    assert after.macs / before.macs == pytest.approx(1.05)
