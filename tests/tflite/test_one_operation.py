# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.tflite import (
    entry_point,
    facts,
    flatbuffer,
    interpreter,
    one_operation,
    resolvers,
    sample_inputs,
)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_one_product_of_the_asked_size_runs_in_one_partition(dtype, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(
        one_operation.fully_connected(dtype, batch=3, inputs=32, outputs=16)
    )
    found = facts.read_facts(path)
    assert found.operator_counts == {"FULLY_CONNECTED": 1}
    assert found.macs == 3 * 32 * 16
    assert found.delegation.partitions == 1
    assert {found.inputs[0].dtype, found.outputs[0].dtype} == {dtype}
    model = flatbuffer.read(path)
    entry = entry_point.find(path, model)
    (x,) = sample_inputs.make(model, entry, 0)
    check = resolvers.compare_resolvers(path, {"x": x})
    assert check.ok
    assert check.prepared_by == "both"


def test_outputs_of_int8_are_spread_over_the_range(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(
        one_operation.fully_connected("int8", batch=64, inputs=128, outputs=64)
    )
    x = np.random.default_rng(0).integers(-128, 128, (64, 128), np.int8)
    y = interpreter.load(path).run_raw({"x": x})["y"]
    assert len(np.unique(y)) > 50
