# SPDX-License-Identifier: Apache-2.0
import re

from tests import preflights
from tflite_opt.records import preflight
from tflite_opt.report import preflight_text


def _rows(text):
    """Returns the cells of the lines of tables by their first cell."""
    lines = [re.split(r" {2,}", line) for line in text.splitlines()]
    return {cells[0]: cells[1:] for cells in lines if len(cells) > 2}


def test_a_layer_is_a_line_with_a_cell_for_each_technique_and_file():
    rows = _rows(preflight_text.describe(preflights.found()))
    assert rows["rescaling"] == [
        *("Rescaling", "?x4", "0", "-", "BLOCKED [1]", "MUL", "int8"),
    ]
    assert rows["conv"][2:] == ["1,234", "yes", "-", "CONV_2D", "int8*"]
    assert rows["relu"][2:] == ["0", "-", "-", "fused", "fused"]
    assert rows["depthwise"][3] == "no [2]"
    assert rows["depthwise"][-1] == "float"
    assert rows["lstm"][-2:] == ["?", "?"]


def test_reasons_come_once_with_their_fix():
    text = preflight_text.describe(preflights.found())
    assert (
        "[1] quantization_aware_training: TF-MOT does not know Rescaling. "
        "Move it out of the model.\n"
        "[2] pruning: TF-MOT never prunes depthwise kernels.\n"
    ) in text


def test_operations_without_a_layer_are_listed():
    text = preflight_text.describe(preflights.found())
    _, table = text.split("operations of no known layer\n")
    table, *_ = table.split("\n\n")
    rows = [line.split() for line in table.splitlines()[2:]]
    assert rows == [
        ["float32", "LSTM", "1", "float", "no"],
        ["int8", "LSTM", "1", "hybrid", "no"],
    ]


def test_sums_say_what_is_blocked_and_what_is_left_out():
    assert preflight_text.sums(preflights.found()) == [
        "pruning: changes 2 of 5 layers",
        "quantization_aware_training: blocked by 1 of 5 layers: rescaling",
        "float32: 4 operations by tflite_converter; 1 XNNPACK partition, "
        "leaves out 1 LSTM",
        "int8: 4 operations by tflite_converter; LiteRT Quantizer does not "
        "cover ELU, LSTM; 2 XNNPACK partitions, leaves out 1 CONV_2D, 1 LSTM",
        "int8: BLOCKED: full_integer must leave no float tensor inside. "
        "Use dynamic_range.",
    ]


def test_many_blocked_layers_are_counted():
    blocked = preflight.Verdict(status="blocked", reason="Unknown.")
    layers = tuple(
        preflight.KerasLayer(
            path=f"layer{index}",
            class_name="Own",
            output_shape=(),
            parameters=0,
            verdicts={"pruning": blocked},
        )
        for index in range(7)
    )
    keras = preflight.KerasSupport(techniques=("pruning",), layers=layers)
    found = preflight.Preflight(model="m", keras=keras)
    assert preflight_text.sums(found) == [
        "pruning: blocked by 7 of 7 layers: layer0, layer1, layer2, layer3, "
        "layer4, 2 more"
    ]


def test_a_model_that_is_refused_as_a_whole_says_why():
    keras = preflights.keras(rejections={"pruning": "No layer to prune."})
    lines = preflight_text.sums(preflights.found(keras=keras))
    assert lines[0] == "pruning: blocked: No layer to prune."


def test_a_file_that_xnnpack_refuses_says_why():
    file = preflight.ConvertedFile(
        recipe="int8",
        backend="litert_quantizer",
        operations=(),
        partitions=None,
        delegate_error="failed\nto prepare",
    )
    keras = preflight.KerasSupport(unknown_because="A SavedModel is none.")
    found = preflight.Preflight(model="m", keras=keras, files=(file,))
    assert "does not prepare with XNNPACK: failed\\nto prepare" in (
        preflight_text.describe(found)
    )
    assert "no layers: A SavedModel is none." in preflight_text.describe(found)
