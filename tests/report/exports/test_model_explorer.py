# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json

from tests.report.page import example
from tflite_opt.report.exports import model_explorer


def test_each_quantity_is_a_file_by_position_of_the_operation(tmp_path):
    int8 = example.evidence(tmp_path)[1]
    (model,) = int8.profiles
    (profile,) = model.profiles
    builtin = dataclasses.replace(profile, kernels="builtin")
    model = dataclasses.replace(model, profiles=(profile, builtin))
    int8 = dataclasses.replace(int8, profiles=(model,))
    paths = model_explorer.write([int8], tmp_path / "nodes")
    assert [path.name for path in paths] == [
        "int8.macs.json",
        "int8.builtin_us.threads_1.json",
        "int8.noise_db.for_float32.json",
    ]
    macs, times, noise = (json.loads(path.read_text()) for path in paths)
    assert macs["results"] == {"0": {"value": 100.0}}
    assert macs["name"] == "int8: multiply-accumulates"
    assert times["results"] == {"0": {"value": 1.0}, "1": {"value": 2.0}}
    # The noisiest has the largest value, which is painted darkest.
    assert noise["results"] == {"0": {"value": -30.0}, "1": {"value": -12.0}}
    assert [x["stop"] for x in noise["gradient"]] == [0, 1]
