# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from tests.scripts import programs
from tests.search.test_store import DESCRIPTION
from tflite_opt import recipe
from tflite_opt.records import run_directory
from tflite_opt.search import store


def test_refuses_what_no_recipe_is_made_of():
    done = programs.run("search", "--techniques=magic")
    programs.assert_one_error_line(done, "magic", "Conversions: dynamic_range")


def test_watching_shows_the_trials_of_a_search_that_is_over(tmp_path):
    run = run_directory.RunDirectory.create(tmp_path / "run", command="")
    records = store.Store.claim(run.path("search"), DESCRIPTION)
    records.result.write_text("{}")
    done = programs.run("search", "--watch", f"--output_dir={run.root}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split()[:2] == ["trial", "recipe"]


@pytest.mark.slow
def test_a_search_ends_with_a_run_and_goes_on_where_it_was(tmp_path):
    folder = tmp_path / "run"
    arguments = [
        f"--output_dir={folder}",
        "--techniques=full_integer,dynamic_range,bias_correction",
        "--trial_batch=2",
        "--quick",
        "--max_accuracy_drop=0.05",
        "--output=json",
    ]
    done = programs.run("search", *arguments, "--num_trials=2")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["num_trials"] == 2
    assert found["chosen"]
    for name in found["front"]:
        if name == "float32":
            continue
        assert (folder / "artifacts" / f"{name}.tflite").is_file()
        read = recipe.read(folder / "recipes" / f"{name}.yaml")
        assert read.name == name
    report = programs.run("report", str(folder))
    assert found["chosen"] in report.stdout
    done = programs.run("search", *arguments, "--num_trials=3", "--resume")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert again["num_trials"] == 3
    assert done.stderr.count("convert/") <= 1
    done = programs.run("search", *arguments, "--resume", "--search_seed=1")
    programs.assert_one_error_line(done, "another seed: 0. Received: 1.")
    done = programs.run("search", *arguments, "--resume", "--max_bytes=1000")
    programs.assert_one_error_line(done, "another limits")
    done = programs.run(
        "search",
        f"--output_dir={tmp_path / 'small'}",
        "--techniques=full_integer",
        "--num_trials=1",
        "--max_bytes=1000",
        "--quick",
    )
    assert done.returncode == 1, done.stderr
    assert "Front of 1 trials: nothing meets the limits." in done.stdout
    assert "max_bytes=" in done.stdout
