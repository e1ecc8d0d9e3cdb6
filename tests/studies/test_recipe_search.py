# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.data import dataset
from tflite_opt.records import benchmark, measurement, search, training
from tflite_opt.studies import recipe_search

LIMITS = search.Limits(max_accuracy_drop=0.01, counts_gzip=True)


def values(**points):
    """Returns points of validation and test loss, latency and size."""
    figures = ("validation_loss", "test_loss", "latency_ratio", "size_ratio")
    return {
        f"{name}/{figure}": value
        for name, point in points.items()
        for figure, value in zip(figures, point, strict=True)
    }


def record(cell, **content):
    return measurement.Measurement(
        study="search",
        cell=cell,
        values=content,
        rounds=1,
        device="here",
        versions={},
        commit="",
    )


def test_the_front_is_that_of_the_validation_split():
    found = recipe_search.front(
        values(
            good=(0.0, 0.02, 0.5, 0.5),
            beaten=(0.001, 0.0, 0.5, 0.5),
            lossy=(0.02, 0.0, 0.1, 0.1),
        ),
        LIMITS,
    )
    assert list(found) == ["good"]


def test_the_volume_is_a_fraction_of_what_is_between_float32_and_nothing():
    content = values(half=(0.0, 0.005, 0.5, 0.5))
    volume = recipe_search.hypervolume(content, LIMITS, "validation")
    assert volume == pytest.approx(0.25)
    volume = recipe_search.hypervolume(content, LIMITS, "test")
    assert volume == pytest.approx(0.125)


def test_the_table_compares_with_the_presets_and_shows_what_is_missing():
    found = {
        "presets": record("presets", **values(half=(0.0, 0.0, 0.5, 0.5))),
        "search.0": record(
            "search.0",
            num_trials=40.0,
            num_stopped=3.0,
            num_failed=1.0,
            **values(
                small=(0.0, 0.0, 0.5, 0.25), tried_first=(0.0, 0.0, 0.25, 0.5)
            ),
            **{"tried_first/is_preset": 1.0},
        ),
        "search.1": None,
    }
    lines = list(recipe_search.describe(found, LIMITS))
    assert lines[2] == (
        "| presets |  |  |  | 1 | 0.2500 | 0.2500 | 1.000 | 0.2500 | 1.000 |"
    )
    assert lines[3] == (
        "| search.0 | 40 | 3 | 1 | 1 | 0.3750 | 0.3750 | 1.500 | 0.5000 | "
        "2.000 |"
    )
    assert lines[4] == "| search.1 | missing |"
    assert set(lines[-2:]) == {
        "| search.0 | small | +0.00 | +0.00 | 0.500 | 0.250 |",
        "| search.0 | tried_first (preset) | +0.00 | +0.00 | 0.250 | 0.500 |",
    }


@pytest.mark.slow
def test_cells_search_and_leave_out_presets(tmp_path):
    setup = recipe_search.Setup(
        model_options={},
        model="sample_cnn",
        data=dataset.DataSpec(source="digits"),
        training=training.TrainingOptions(epochs=4, batch_size=64),
        fine_tuning=training.TrainingOptions(epochs=1, batch_size=64),
        runtime=benchmark.RuntimeOptions(
            launches=2, warmup_min_secs=0.0, num_runs=5, min_secs=0.0
        ),
        limits=search.Limits(max_accuracy_drop=0.2, counts_gzip=True),
        num_trials=2,
        seeds=(0,),
        techniques=("full_integer", "dynamic_range"),
        presets=("int8",),
        work_dir=tmp_path,
    )
    cells = recipe_search.cells(setup)
    assert list(cells) == ["presets", "search.0"]
    presets, found = (cell() for cell in cells.values())
    assert set(presets) == {
        f"int8/{figure}"
        for figure in (
            "validation_loss",
            "test_loss",
            "latency_ratio",
            "size_ratio",
        )
    }
    assert found["num_trials"] == 2
    assert not any("/" in name for name in recipe_search.finds(found))
