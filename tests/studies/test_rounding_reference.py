# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import in_process
from tests.post_training import models
from tests.studies import records
from tflite_opt.data import dataset
from tflite_opt.records import training
from tflite_opt.studies import rounding_reference, trained_reference


def test_noise_is_that_of_each_layer(float_net, int8_net):
    inputs = models.examples(20)
    found = rounding_reference.layer_noise_db(float_net, int8_net, inputs)
    assert len(found) == 6
    assert all(15 < ratio < 60 for ratio in found)


def test_the_page_has_a_line_for_each_way_and_what_is_missing():
    record = records.record(
        "rounding",
        "rounding.int4.0",
        seconds=1.25,
        cpu_seconds=0.5,
        mean_layer_signal_to_noise_db=20.5,
        scores_signal_to_noise_db=12.25,
        agreement=0.95,
        accuracy=0.9,
        float_accuracy=0.91,
        num_test=100.0,
    )
    lines = list(
        rounding_reference.describe(
            {"rounding.int4.0": record, "adaround_1000.int4.0": None}
        )
    )
    assert lines[2:4] == [
        "| int4 | rounding | 0 | 1.2 | 0.5 | 20.50 | 12.25 | 95.00% | 90.00% "
        "| 91.00% |",
        "| int4 | adaround_1000 | 0 | missing | | | | | | |",
    ]


@pytest.mark.slow
@pytest.mark.tensorflow
def test_cells_of_a_seed_share_the_trained_model(tmp_path, monkeypatch):
    in_process.children(monkeypatch, tmp_path)
    setup = rounding_reference.Setup(
        trained=trained_reference.Setup(
            model="ds_cnn",
            model_options={"filters": 8},
            data=dataset.DataSpec(source="digits", num_calibration=40),
            training=training.TrainingOptions(epochs=8, learning_rate=1e-2),
            work_dir=tmp_path / "work",
        ),
        seeds=(3,),
    )
    cells = rounding_reference.cells(setup)
    assert list(cells)[:2] == ["nearest.int8.3", "rounding.int8.3"]
    nearest, ours = (
        cells[f"{name}.int4.3"]() for name in ("nearest", "rounding")
    )
    assert nearest["float_accuracy"] == ours["float_accuracy"] > 0.5
    assert nearest["num_test"] == 449
    for figure in ("mean_layer", "scores"):
        name = f"{figure}_signal_to_noise_db"
        assert ours[name] > nearest[name]
    assert [x.name for x in (tmp_path / "work").iterdir()] == ["seed3"]
