# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import in_process
from tflite_opt.data import dataset
from tflite_opt.records import measurement, training
from tflite_opt.studies import channel_pruning, training_compression
from tflite_opt.techniques import channel_pruning as technique


def _case(work_dir):
    options = training.TrainingOptions(epochs=3, batch_size=64)
    return channel_pruning.Case(
        setup=training_compression.Setup(
            model="sample_cnn",
            model_options={"filters": 16},
            data=dataset.DataSpec(
                source="digits", limit=128, num_calibration=20
            ),
            training=options,
            fine_tuning=options,
            seeds=(3,),
            recipes=(),
            work_dir=work_dir,
        ),
        pruning=technique.ChannelPruning(
            macs=0.5, rounds=2, distillation=training.Distillation()
        ),
    )


def test_all_recipes_train_as_long(tmp_path):
    found = channel_pruning.recipes(_case(tmp_path))
    assert list(found) == list(channel_pruning.RECIPES)
    (control,) = found["float_control"].compress
    assert control.epochs == 3 + 1
    pruned, again = found["scratch_int8"].compress
    assert found["channels_int8"].compress == (pruned,)
    assert again.epochs == 3 + 3 + 1
    assert again.distillation.weight == 0
    (chance,) = found["random_int8"].compress
    assert chance.criterion == "random"


def _record(cell, **values):
    return measurement.Measurement(
        study="channels",
        cell=cell,
        values=values,
        rounds=1,
        device="here",
        versions={},
        commit="",
    )


def test_the_table_compares_with_the_control_of_the_seed():
    cells = {
        "net.float_control.0": _record("", test_accuracy=0.93),
        "net.float_control.1": _record("", test_accuracy=0.92),
        "net.channels_int8.0": _record("", test_accuracy=0.926),
        "net.channels_int8.1": _record("", test_accuracy=0.918),
        "net.random_int8.0": None,
        "mobilenet_v2_224.latency": _record(
            "", narrow_bytes=1e6, narrow_ms=1.5, latency_fraction=0.48
        ),
    }
    lines = list(channel_pruning.describe(cells))
    assert lines[3].startswith(
        "| net | channels_int8 | 2 of 2 | 92.20% ± 0.57% | +0.30 ± 0.14 |"
    )
    assert lines[4].startswith("| net | random_int8 | missing |")
    assert "| macs | missing | | |" in lines
    assert "| latency | 1,000,000 | 1.5 | 48.0% |" in lines


@pytest.mark.slow
@pytest.mark.tensorflow
def test_cells_prune_convert_test_and_time(tmp_path, monkeypatch):
    in_process.children(monkeypatch, tmp_path)
    found = channel_pruning.cells(
        {"small": _case(tmp_path / "work")}, launches=1, work_dir=tmp_path
    )
    dense, pruned, scratch = (
        found[f"small.{name}.3"]()
        for name in ("int8", "channels_int8", "scratch_int8")
    )
    assert pruned["macs"] <= 0.52 * dense["macs"]
    assert pruned["macs"] == scratch["macs"]
    assert pruned["size_bytes"] < dense["size_bytes"]
    assert pruned["epochs"] == 3 + 1
    assert pruned["times_faster"] > 0
