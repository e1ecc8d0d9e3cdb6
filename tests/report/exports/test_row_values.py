# SPDX-License-Identifier: Apache-2.0
from tests.report.page import example
from tflite_opt.report.exports import row_values


def test_metrics_are_what_was_measured(tmp_path):
    _, int8, unmeasured = example.content(example.evidence(tmp_path)).rows
    found = row_values.metrics(int8)
    assert found["top-1"] == 0.979
    assert found["latency_ms"] == 1.0
    assert found["energy_mj"] == 3.0
    assert "cpu_ms" not in found
    assert set(row_values.metrics(unmeasured)) == {
        "size_bytes",
        "gzip_bytes",
        "times_smaller",
        "quantized_weight_fraction",
    }


def test_parameters_name_the_recipe(tmp_path):
    _, int8, _ = example.content(example.evidence(tmp_path)).rows
    assert row_values.parameters(int8)["made_by"] == "int8() by a back end"
