# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.post_training import models
from tflite_opt.records import errors
from tflite_opt.tflite import facts, operation_patterns


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    network = models.Network((8, 8, 3))
    for _ in range(3):
        network.conv(4)
    for tensor in network.builder.model.subgraphs[0].tensors:
        tensor.name = tensor.name.replace("CONV_2D_1", "net/CONV_2D_2/Relu6;c")
    path = network.save(tmp_path_factory.mktemp("net") / "float.tflite")
    return path, facts.read_facts(path, delegation=False)


def _positions(net, *patterns):
    return operation_patterns.positions(*net, patterns, "fields")


def test_a_layer_comes_before_a_tensor_and_an_expression(net):
    # The second operation is of the layer that is called like the third's
    # output.
    assert _positions(net, "CONV_2D_2") == {"CONV_2D_2": {1}}
    assert _positions(net, "CONV_2D_0") == {"CONV_2D_0": {0}}
    assert _positions(net, "CONV_2D_[02]") == {"CONV_2D_[02]": {0, 1, 2}}


def test_an_exact_name_is_neither_a_layer_nor_an_expression(net):
    exact = operation_patterns.exact("CONV_2D_2")
    assert _positions(net, exact) == {exact: {2}}
    strange = operation_patterns.exact("a.[b](+")
    expression = operation_patterns.compiled(strange)
    assert expression.search("a.[b](+")
    assert not expression.search("xa.[b](+")
    assert not expression.search("a-[b](+")


def test_what_means_nothing_is_refused_with_what_there_is(net):
    with pytest.raises(
        errors.InputError, match="`fields` must match.*'head'.*CONV_2D_0, net/"
    ):
        _positions(net, "head")


def test_what_is_no_expression_is_refused(net):
    with pytest.raises(errors.InputError, match=r"expression. Received: '\('"):
        _positions(net, "(")
