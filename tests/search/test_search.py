# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.search import recorded
from tflite_opt.benchmark import desktop
from tflite_opt.data import dataset
from tflite_opt.evaluation import evaluate
from tflite_opt.keras_models import source
from tflite_opt.records import benchmark, errors, run_directory, training
from tflite_opt.search import search


@pytest.mark.parametrize(
    ("field", "value"),
    [("num_trials", 0), ("batch_size", 0), ("subset", 0), ("seed", -1)],
    ids=["trials", "batch", "subset", "seed"],
)
def test_rejects_a_number_out_of_its_range(field, value):
    values = {
        "model": source.Choice(),
        "data": dataset.DataSpec(source="digits"),
        "limits": recorded.LIMITS,
        "training": training.TrainingOptions(),
        "fine_tuning": training.TrainingOptions(),
        "evaluation": evaluate.Options(),
        "runtime": benchmark.RuntimeOptions(),
        "runner": desktop.DesktopRunner(),
        "objective": "size",
        "techniques": ("full_integer",),
    }
    with pytest.raises(
        errors.InputError, match=re.escape(f"Received: {field}={value}")
    ):
        search.Request(**values | {field: value})


def test_rejects_to_show_the_trials_of_a_run_that_is_no_search(tmp_path):
    run = run_directory.RunDirectory.create(tmp_path / "run", command="")
    with pytest.raises(errors.InputError, match="which holds none"):
        search.trials(run)
