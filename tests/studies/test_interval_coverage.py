# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.studies import interval_coverage, study

_SETUP = interval_coverage.Setup(repetitions=20, num_resamples=199, seed=0)


def test_every_scenario_meets_every_number_of_launches():
    names = list(interval_coverage.cells(_SETUP))
    assert len(names) == 5 * 4
    assert {"lognormal.5", "heavy_tails.10", "drift.20"} <= set(names)


@pytest.mark.parametrize("name", list(interval_coverage.SCENARIOS))
def test_both_models_are_equally_fast(name):
    random = np.random.default_rng(0)
    draws = [interval_coverage.SCENARIOS[name](random, 10) for _ in range(500)]
    assert draws[0].shape == (2, 10)
    difference = np.median([b - a for a, b in draws])
    assert abs(difference) < 0.002


def test_a_cell_holds_the_figures_of_all_methods_on_the_same_launches(
    tmp_path,
):
    cells = interval_coverage.cells(_SETUP)
    chosen = {name: cells[name] for name in ("lognormal.5", "lognormal.10")}
    only = {"lognormal.10": cells["lognormal.10"]}
    study.run("statistics", only, tmp_path, rounds=20, redo=False)
    found = study.load(chosen, tmp_path)
    values = found["lognormal.10"].values
    assert 0.8 <= values["steadied.coverage"] <= 1
    assert 0.005 < values["steadied.half_width"] < 0.06
    assert values["bca_mean.half_width"] < values["bootstrap_t_mean.half_width"]
    assert values["steadied.false_verdicts"] == 0
    lines = list(interval_coverage.describe(found))
    missing = [x for x in lines if x.startswith("| lognormal.5 | missing |")]
    assert len(missing) == 5
    assert len({line.count("|") for line in lines if "lognormal" in line}) == 2
