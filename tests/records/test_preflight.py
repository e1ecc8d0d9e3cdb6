# SPDX-License-Identifier: Apache-2.0
from tests import preflights
from tflite_opt.records import preflight


def test_survives_its_json_form(tmp_path):
    found = preflights.found()
    found.save(tmp_path / "preflight.json")
    assert preflight.Preflight.load(tmp_path / "preflight.json") == found


def test_a_technique_is_blocked_by_a_layer_or_as_a_whole():
    keras = preflights.keras()
    assert not keras.is_blocked("pruning")
    assert keras.is_blocked("quantization_aware_training")
    blocked = keras.with_status("quantization_aware_training", "blocked")
    assert [layer.path for layer in blocked] == ["rescaling"]
    refused = preflights.keras(rejections={"pruning": "No layer to prune."})
    assert refused.is_blocked("pruning")


def test_a_file_is_found_by_its_recipe():
    found = preflights.found()
    assert found.file("int8") is found.files[1]
    assert found.file("dynamic_range") is None
