# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import in_process
from tests.studies import records
from tflite_opt.keras_models import reference
from tflite_opt.records import training
from tflite_opt.studies import bias_correction_check, trained_reference


def _cell(name, **values):
    figures = {
        "layers": 6.0,
        "seconds": 0.75,
        "kept": 1.0,
        "divergence": 0.02,
        "corrected_divergence": 0.01,
        "num_test": 1000.0,
    }
    return records.record("bias_correction", name, **figures | values)


def _agreement(lost, gained, chance):
    return {
        "agreement": 0.9,
        "corrected_agreement": 0.91,
        "lost": lost,
        "gained": gained,
        "chance_of_such_a_loss": chance,
    }


def test_the_page_names_models_that_it_makes_worse_and_what_is_missing():
    lines = list(
        bias_correction_check.describe(
            {
                "good": _cell("good", **_agreement(2.0, 12.0, 0.99)),
                "bad": _cell("bad", kept=0.0, **_agreement(20.0, 5.0, 0.002)),
                "values": _cell("values"),
                "loops": records.record(
                    "bias_correction", "loops", refused=1.0
                ),
                "late": None,
            }
        )
    )
    assert lines[2:7] == [
        "| good | 2.00e-02 | 1.00e-02 | 90.00% | 91.00% | 2 | 12 | 0.99 | yes "
        "| 0.8 |",
        "| bad | 2.00e-02 | 1.00e-02 | 90.00% | 91.00% | 20 | 5 | 0.00 | no "
        "| 0.8 |",
        "| values | 2.00e-02 | 1.00e-02 | - | - | - | - | - | yes | 0.8 |",
        "| loops | refused: loops or state | | | | | | | | |",
        "| late | missing | | | | | | | | |",
    ]
    assert "(sign test) for: bad; and where the " in lines[-1]
    assert "would have kept the correction: none." in lines[-1]


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_cell_trains_corrects_and_judges(tmp_path, monkeypatch):
    in_process.children(monkeypatch, tmp_path)
    cells = bias_correction_check.cells(
        trained_reference.OwnData(
            training=training.TrainingOptions(epochs=2),
            work_dir=tmp_path / "work",
            limit=200,
        )
    )
    assert tuple(cells) == reference.names()
    found = cells["sample_cnn"]()
    assert found["layers"] >= 4
    assert found["num_test"] == 200
    assert found["lost"] + found["gained"] <= 200
    assert found["chance_of_such_a_loss"] > 0.05
    assert found["corrected_divergence"] < 2 * found["divergence"]
    assert cells["lstm"]() == {"refused": 1.0}
