# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import in_process
from tests.studies import records
from tflite_opt.records import training
from tflite_opt.studies import activation_ranges, trained_reference


def test_the_page_has_all_algorithms_and_what_is_missing():
    figures = {
        f"{name}.divergence": 0.25 for name in activation_ranges.ALGORITHMS
    }
    figures["min_max.agreement"] = 0.5
    lines = list(
        activation_ranges.describe(
            {"one": records.record("ranges", "one", **figures), "late": None}
        )
    )
    assert (
        "| model, agreement | min_max | octav | mse | percentile | "
        "moving_average |"
    ) in lines
    assert "| one | 2.5e-01 | 2.5e-01 | 2.5e-01 | 2.5e-01 | 2.5e-01 |" in lines
    assert "| one | 50.00% | - | - | - | - |" in lines
    assert lines.count("| late | missing |  |  |  |  |") == 2


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_cell_trains_and_quantizes_in_all_ways(tmp_path, monkeypatch):
    in_process.children(monkeypatch, tmp_path)
    cells = activation_ranges.cells(
        ["sample_cnn"],
        trained_reference.OwnData(
            training=training.TrainingOptions(epochs=2),
            work_dir=tmp_path / "work",
            limit=200,
        ),
    )
    found = cells["sample_cnn"]()
    divergences = {
        name: found[f"{name}.divergence"]
        for name in activation_ranges.ALGORITHMS
    }
    assert len(set(divergences.values())) == len(divergences)
    assert found["min_max.agreement"] > 0.9
    assert divergences["moving_average"] > divergences["min_max"]
