# SPDX-License-Identifier: Apache-2.0
"""Delegation and memory, against what was worked out by hand.

All files here are sound, so that the runtime may be in this process.
"""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import prepared

# 4000 bytes, in steps of 64.
_FLOATS, _STEP = 1000, 4032
_SHAPE = (1, 10, 10, 10)


class _Graph(handmade.Builder):
    """A graph of operations that each have one output."""

    def __init__(self, shape=(1, _FLOATS), dtype="float32", **fields):
        super().__init__()
        self._like = {"shape": shape, "dtype": dtype} | fields
        self.x = self.tensor(**self._like)

    def add(self, name, *inputs, options=None):
        output = self.tensor(**self._like)
        self.operator(name, inputs, (output,), options=options)
        return output

    def abs(self, tensor):
        return self.add("ABS", tensor, options=schema.AbsOptionsT())

    def power(self, tensor):
        """Adds what XNNPACK does not take."""
        return self.add("POW", tensor, tensor, options=schema.PowOptionsT())

    def prepare(self, tmp_path, *outputs, delegate="xnnpack", shapes=()):
        self.ends((self.x,), outputs)
        path = self.save(tmp_path / "model.tflite")
        return prepared.PreparedModel(path, delegate, shapes)


def _check_by_memory(model):
    """Checks against the runtime's own trace of what it runs.

    What a partition writes for itself has no memory in the arena; what an
    operation outside writes has.
    """
    operators = model._graph.operators
    exported = set()
    for node in range(model._native.NumNodes()):
        if model._native.NodeName(node) == "DELEGATE":
            exported.update(map(int, model._native.NodeOutputs(node)))
    for index, operator in enumerate(operators):
        for tensor in operator.outputs:
            outside = index in model.left_out or tensor in exported
            assert (tensor in model._extents) == outside, (index, operator.name)


def test_a_whole_graph_is_one_partition(tmp_path):
    graph = _Graph()
    y = graph.abs(graph.abs(graph.x))
    model = graph.prepare(tmp_path, y)
    assert model.delegated == ((0, 1),)
    assert model.left_out == ()
    _check_by_memory(model)


def test_an_operation_splits_the_graph(tmp_path):
    graph = _Graph()
    y = graph.abs(graph.power(graph.abs(graph.abs(graph.x))))
    model = graph.prepare(tmp_path, y)
    assert model.delegated == ((0, 1), (3,))
    assert model.left_out == (2,)
    _check_by_memory(model)


def test_an_operation_beside_the_others_does_not_split_them(tmp_path):
    graph = _Graph()
    first = graph.abs(graph.x)
    side = graph.power(graph.x)
    second = graph.abs(first)
    model = graph.prepare(tmp_path, second, side)
    assert model.delegated == ((0, 2),)
    assert model.left_out == (1,)
    _check_by_memory(model)


def test_a_tensor_may_leave_a_partition_and_stay_in_use_there(tmp_path):
    graph = _Graph()
    first = graph.abs(graph.x)
    second = graph.abs(first)
    third = graph.power(first)
    model = graph.prepare(tmp_path, second, third)
    assert model.delegated == ((0, 1),)
    assert model.left_out == (2,)
    _check_by_memory(model)


def test_what_leads_to_no_output_is_found(tmp_path):
    graph = _Graph()
    first = graph.abs(graph.x)
    graph.abs(graph.abs(first))
    model = graph.prepare(tmp_path, graph.abs(first))
    assert model.delegated == ((0, 1, 2, 3),)
    assert model.left_out == ()


def test_what_leads_to_no_output_and_is_left_out_is_found(tmp_path):
    graph = _Graph()
    graph.power(graph.x)
    model = graph.prepare(tmp_path, graph.abs(graph.x))
    assert model.delegated == ((1,),)
    assert model.left_out == (0,)


def test_int16_activations_are_never_delegated(tmp_path):
    graph = _Graph(dtype="int16", scale=[0.5])
    options = schema.AddOptionsT()
    y = graph.add("ADD", graph.x, graph.x, options=options)
    model = graph.prepare(tmp_path, y)
    assert model.delegated == ()
    assert model.left_out == (0,)


def _depthwise(graph, source, dtype):
    """Adds a depthwise convolution with weights of some dtype."""
    fields = {} if dtype == "float32" else {"scale": [0.5]}
    weights = graph.tensor(
        (1, 1, 1, 10), dtype, values=np.ones(10, dtype), **fields
    )
    bias = graph.tensor((10,), values=np.ones(10, "float32"))
    options = schema.DepthwiseConv2DOptionsT()
    options.strideH = options.strideW = options.depthMultiplier = 1
    return graph.add(
        "DEPTHWISE_CONV_2D", source, weights, bias, options=options
    )


@pytest.mark.parametrize(
    ("dtype", "left_out"),
    [("float32", ()), ("int8", (1,))],
    ids=["float", "dynamic-range"],
)
def test_dynamic_range_depthwise_is_left_out(tmp_path, dtype, left_out):
    graph = _Graph(_SHAPE)
    y = graph.abs(_depthwise(graph, graph.abs(graph.x), dtype))
    model = graph.prepare(tmp_path, y)
    assert model.left_out == left_out
    assert len(model.delegated) == (2 if left_out else 1)
    _check_by_memory(model)


@pytest.mark.parametrize(
    ("fields", "left_out"),
    [({}, ()), ({"dtype": "int8", "scale": [0.1]}, (1,))],
    ids=["float", "int8"],
)
def test_hard_swish_is_delegated_in_float_only(tmp_path, fields, left_out):
    graph = _Graph(_SHAPE, **fields)
    options = schema.AddOptionsT()
    first = graph.add("ADD", graph.x, graph.x, options=options)
    swish = graph.add("HARD_SWISH", first, options=schema.HardSwishOptionsT())
    y = graph.add("ADD", swish, swish, options=schema.AddOptionsT())
    model = graph.prepare(tmp_path, y)
    assert model.left_out == left_out
    _check_by_memory(model)


def test_weights_behind_dequantize_are_in_the_partition(tmp_path):
    graph = handmade.Builder()
    x = graph.tensor((1, 4))
    half = graph.tensor(
        (3, 4), "float16", values=handmade.WEIGHTS.astype(np.float16)
    )
    full, y = graph.tensor((3, 4)), graph.tensor((1, 3))
    graph.operator("DEQUANTIZE", (half,), (full,))
    options = schema.FullyConnectedOptionsT()
    graph.operator("FULLY_CONNECTED", (x, full, -1), (y,), options=options)
    graph.ends((x,), (y,))
    path = graph.save(tmp_path / "model.tflite")
    default = prepared.PreparedModel(path, "xnnpack")
    assert default.delegated == ((0, 1),)
    # x and y, each in its 64 bytes.
    assert default.memory.arena_bytes == 64 + 12
    assert default.memory.persistent_bytes == 0
    builtin = prepared.PreparedModel(path, "none")
    assert builtin.memory.arena_bytes == 64 + 12
    # Unpacked weights stay.
    assert builtin.memory.persistent_bytes == 3 * 4 * 4


def test_two_tensors_take_turns(tmp_path):
    graph = _Graph()
    tensor = graph.x
    for _ in range(5):
        tensor = graph.power(tensor)
    memory = graph.prepare(tmp_path, tensor, delegate="none").memory
    # The input keeps its place; the others take turns in two more.
    assert memory.arena_bytes == 2 * _STEP + 4 * _FLOATS
    assert memory.persistent_bytes == 0


def test_a_long_lived_tensor_keeps_its_place(tmp_path):
    graph = _Graph()
    first = graph.power(graph.x)
    tensor = first
    for _ in range(4):
        tensor = graph.power(tensor)
    y = graph.add("MAXIMUM", tensor, first)
    memory = graph.prepare(tmp_path, y, delegate="none").memory
    assert memory.arena_bytes == 3 * _STEP + 4 * _FLOATS


def test_scratch_space_is_in_the_arena(tmp_path):
    graph = handmade.Builder()
    x = graph.tensor((1, 8, 8, 3))
    kernel = graph.tensor((8, 3, 3, 3), values=np.ones(216, "float32"))
    bias = graph.tensor((8,), values=np.ones(8, "float32"))
    y = graph.tensor((1, 6, 6, 8))
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 1
    options.padding = schema.Padding.VALID
    graph.operator("CONV_2D", (x, kernel, bias), (y,), options=options)
    graph.ends((x,), (y,))
    path = graph.save(tmp_path / "model.tflite")
    model = prepared.PreparedModel(path, "none")
    # 768 bytes of input, 1152 of output, and the patches of the input: 6 x 6
    # x 27 floats.
    assert model.memory.arena_bytes == 768 + 1152 + 3888


def test_only_what_crosses_partitions_is_in_the_arena(tmp_path):
    graph = _Graph()
    tensor = graph.x
    for _ in range(5):
        tensor = graph.abs(tensor)
    memory = graph.prepare(tmp_path, tensor).memory
    assert memory.arena_bytes == _STEP + 4 * _FLOATS


def test_given_shapes_change_memory_and_shapes(tmp_path):
    graph = _Graph((1, 16))
    y = graph.power(graph.x)
    shapes = [(1, _FLOATS)]
    model = graph.prepare(tmp_path, y, delegate="none", shapes=shapes)
    assert model.memory.arena_bytes == _STEP + 4 * _FLOATS
    assert model.shapes() == [[(1, _FLOATS), (1, _FLOATS)]]


def test_sizes_that_depend_on_data_are_not_known(tmp_path):
    graph = handmade.Builder()
    x = graph.tensor((4,), "bool")
    found = graph.tensor((1, 1), "int64", signature=(-1, 1))
    y = graph.tensor((1, 1), "int64", signature=(-1, 1))
    graph.operator("WHERE", (x,), (found,))
    graph.operator("ABS", (found,), (y,), options=schema.AbsOptionsT())
    graph.ends((x,), (y,))
    path = graph.save(tmp_path / "model.tflite")
    model = prepared.PreparedModel(path, "none")
    assert model.memory is None
    assert model.shapes() == [[None, None, None]]


def test_refuses_what_the_runtime_refuses(tmp_path):
    graph = _Graph()
    y = graph.add("MyOperation", graph.x)
    with pytest.raises(errors.ModelError, match="unresolved custom op"):
        graph.prepare(tmp_path, y)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "name",
    ["float32", "float16", "int8", "weight_only_int8", "weight_only_int4"],
)
def test_converted_files_agree_with_the_memory(converted, name):
    model = prepared.PreparedModel(converted / f"{name}.tflite", "xnnpack")
    assert model.delegated
    _check_by_memory(model)


@pytest.mark.tensorflow
def test_state_is_not_in_the_arena(converted):
    model = prepared.PreparedModel(converted / "lstm.tflite", "none")
    # Two states of 6 floats, at steps of 64 bytes.
    assert model.memory.persistent_bytes == 64 + 24
