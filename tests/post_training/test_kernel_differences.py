# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests.post_training import models
from tflite_opt.post_training import kernel_differences, operation_runner
from tflite_opt.records import facts

_BAD = facts.ResolverCheck(
    prepared_by="both", num_examples=100, max_quanta=9, top1_agreement=0.9
)


@pytest.mark.parametrize("mode", ["static", "dynamic"])
def test_kernels_that_only_round_differently_are_not_to_blame(
    float_net, tmp_path, mode
):
    path = models.quantized(float_net, tmp_path / "q.tflite", mode=mode)
    found = kernel_differences.explained(_BAD, path, models.examples(30))
    assert 0 <= found.operation_quanta <= 2
    assert not _BAD.ok
    assert found.ok
    (warning,) = found.warnings()
    assert warning.startswith("Single roundings change results: with and")
    assert "top-1 agreement 90.00%, single operations" in warning


@pytest.mark.parametrize(
    ("mode", "make_wrong"),
    [
        ("static", lambda x: x - 3),
        ("dynamic", lambda x: x * 1.1),
        ("float", lambda x: x * 1.0002),
    ],
)
def test_a_kernel_that_is_wrong_is_to_blame(
    float_net, tmp_path, monkeypatch, mode, make_wrong
):
    path = float_net
    if mode != "float":
        path = models.quantized(float_net, tmp_path / "q.tflite", mode=mode)
    outputs_for = operation_runner.OperationRunner.outputs_for

    def wrong(self, position, given, delegate="xnnpack"):
        found = outputs_for(self, position, given, delegate)
        if position == 2 and delegate == "none":
            return {tensor: make_wrong(x) for tensor, x in found.items()}
        return found

    monkeypatch.setattr(operation_runner.OperationRunner, "outputs_for", wrong)
    found = kernel_differences.explained(_BAD, path, models.examples(30))
    assert found.operation_quanta >= 3
    assert not found.ok
    assert "single operations" in found.describe()


def test_nothing_is_looked_at_while_all_is_well(int8_net):
    fine = dataclasses.replace(_BAD, top1_agreement=1.0)
    assert (
        kernel_differences.explained(fine, int8_net, models.examples(8)) == fine
    )
    assert fine.warnings() == ()
    alone = dataclasses.replace(_BAD, prepared_by="none")
    assert (
        kernel_differences.explained(alone, int8_net, models.examples(8))
        == alone
    )
