# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.tflite import handmade
from tflite_opt.tflite import facts

_ABSENT = None
# Of an LSTM with 3 inputs and 5 cells.
_INPUT_GATES = [(5, 3)] * 4
_RECURRENT_GATES = [(5, 5)] * 4
_LSTM = [*_INPUT_GATES, *_RECURRENT_GATES]
_NO_PEEPHOLE = [_ABSENT] * 3
_BIASES = [(5,)] * 4
_SEQUENCE = (7, 2, 3)


def _operator(tmp_path, name, inputs, output, **change):
    builder = handmade.Builder()
    operands = [
        -1 if shape is _ABSENT else builder.tensor(shape) for shape in inputs
    ]
    outputs = [builder.tensor(output)]
    builder.operator(name, operands, outputs)
    builder.ends([], outputs)
    for index, signature in change.items():
        tensor = builder.model.subgraphs[0].tensors[int(index[1:])]
        tensor.shapeSignature = signature
    path = builder.save(tmp_path / "model.tflite")
    return facts.read_facts(path, delegation=False)


@pytest.mark.parametrize(
    ("name", "inputs", "output", "expected"),
    [
        # 6 x 6 x 16 outputs of 3 x 3 x 3 products.
        ("CONV_2D", [(1, 8, 8, 3), (16, 3, 3, 3)], (1, 6, 6, 16), 15_552),
        ("CONV_2D", [(2, 8, 8, 3), (16, 3, 3, 3)], (2, 6, 6, 16), 31_104),
        # Two groups: 6 x 6 x 8 outputs of 3 x 3 x 2 products.
        ("CONV_2D", [(1, 8, 8, 4), (8, 3, 3, 2)], (1, 6, 6, 8), 5_184),
        # 4 x 4 x 8 outputs of 3 x 3 products.
        ("DEPTHWISE_CONV_2D", [(1, 6, 6, 8), (1, 3, 3, 8)], (1, 4, 4, 8), 1152),
        ("DEPTHWISE_CONV_2D", [(1, 6, 6, 4), (1, 3, 3, 8)], (1, 4, 4, 8), 1152),
        # 4 x 4 x 2 inputs, each for 3 x 3 x 5 products.
        (
            "TRANSPOSE_CONV",
            [(4,), (5, 3, 3, 2), (1, 4, 4, 2)],
            (1, 8, 8, 5),
            1440,
        ),
        # 2 x 2 x 2 x 4 outputs of 3 x 3 x 3 x 2 products.
        ("CONV_3D", [(1, 4, 4, 4, 2), (3, 3, 3, 2, 4)], (1, 2, 2, 2, 4), 1728),
        # 3 x 3 x 3 x 3 inputs, each for 2 x 2 x 2 x 4 products.
        (
            "CONV_3D_TRANSPOSE",
            [(5,), (2, 2, 2, 4, 3), (1, 3, 3, 3, 3)],
            (1, 6, 6, 6, 4),
            2592,
        ),
        ("FULLY_CONNECTED", [(2, 12), (10, 12)], (2, 10), 240),
        ("FULLY_CONNECTED", [(2, 5, 12), (10, 12)], (2, 5, 10), 1200),
        ("FULLY_CONNECTED", [(2, 3, 4), (10, 12)], (2, 10), 240),
        ("BATCH_MATMUL", [(2, 3, 4, 5), (2, 3, 5, 6)], (2, 3, 4, 6), 720),
        # The first factor transposed, then the second one.
        ("BATCH_MATMUL", [(5, 4), (5, 6)], (4, 6), 120),
        ("BATCH_MATMUL", [(4, 5), (6, 5)], (4, 6), 120),
        ("BATCH_MATMUL", [(4, 5), (7, 5, 6)], (7, 4, 6), 840),
        ("BATCH_MATMUL", [(0, 5), (5, 6)], (0, 6), 0),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_products_of_each_operation(tmp_path, name, inputs, output, expected):
    found = _operator(tmp_path, name, inputs, output)
    assert found.operators[0].macs == expected
    assert found.macs == expected


@pytest.mark.parametrize(
    ("name", "inputs", "expected"),
    [
        # 7 steps of 2 examples: 4 gates of 5 x 3 and 5 x 5.
        (
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            [_SEQUENCE, *_LSTM, *_NO_PEEPHOLE, *_BIASES],
            14 * 160,
        ),
        # Without an input gate.
        (
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            [_SEQUENCE, _ABSENT, *_INPUT_GATES[1:], _ABSENT]
            + [*_RECURRENT_GATES[1:], *_NO_PEEPHOLE, *_BIASES],
            14 * 120,
        ),
        # With peepholes of 5 and a projection to 4.
        (
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            [_SEQUENCE, *_INPUT_GATES, *[(5, 4)] * 4]
            + [*[(5,)] * 3, *_BIASES, (4, 5)],
            14 * (60 + 80 + 15 + 20),
        ),
        (
            "LSTM",
            [(2, 3), *_LSTM, *_NO_PEEPHOLE, *_BIASES, _ABSENT, _ABSENT],
            2 * 160,
        ),
        # All gates in one matrix.
        ("LSTM", [(2, 3), (2, 5), (20, 8), (20,), (2, 5)], 2 * 160),
        (
            "BIDIRECTIONAL_SEQUENCE_LSTM",
            [_SEQUENCE, *_LSTM, *_NO_PEEPHOLE, *_BIASES, _ABSENT, _ABSENT]
            + [*_LSTM, *_NO_PEEPHOLE, *_BIASES],
            14 * 2 * 160,
        ),
        # With an auxiliary input of 3.
        (
            "BIDIRECTIONAL_SEQUENCE_LSTM",
            [_SEQUENCE, *_LSTM, *_NO_PEEPHOLE, *_BIASES, _ABSENT, _ABSENT]
            + [*_LSTM, *_NO_PEEPHOLE, *_BIASES, _ABSENT, _ABSENT]
            + [*[(2, 5)] * 4, _SEQUENCE, *_INPUT_GATES, *_INPUT_GATES],
            14 * (2 * 160 + 8 * 15),
        ),
        ("RNN", [(2, 3), (5, 3), (5, 5), (5,), (2, 5)], 2 * 40),
        (
            "UNIDIRECTIONAL_SEQUENCE_RNN",
            [_SEQUENCE, (5, 3), (5, 5), (5,), (2, 5)],
            14 * 40,
        ),
        (
            "BIDIRECTIONAL_SEQUENCE_RNN",
            [_SEQUENCE, *[(5, 3), (5, 5), (5,), (2, 5)] * 2, _ABSENT],
            14 * 80,
        ),
        # 8 filters: 3 features now, then 10 steps of memory.
        ("SVDF", [(2, 3), (8, 3), (8, 10), (4,), (2, 80)], 2 * (24 + 80)),
    ],
    ids=[
        "lstm-sequence",
        "lstm-coupled-gates",
        "lstm-peephole-projection",
        "lstm-step",
        "lstm-basic",
        "lstm-both-ways",
        "lstm-both-ways-auxiliary",
        "rnn",
        "rnn-sequence",
        "rnn-both-ways",
        "svdf",
    ],
)
def test_products_of_recurrent_operations(tmp_path, name, inputs, expected):
    found = _operator(tmp_path, name, inputs, (7, 2, 5))
    assert found.operators[0].macs == expected


@pytest.mark.parametrize(
    "name",
    ["ADD", "MUL", "MEAN", "SOFTMAX", "AVERAGE_POOL_2D", "EMBEDDING_LOOKUP"],
)
def test_all_other_operations_have_none(tmp_path, name):
    assert _operator(tmp_path, name, [(4, 4), (4, 4)], (4, 4)).macs == 0


@pytest.mark.parametrize(
    "name", ["FlexMatMul", "STABLEHLO_DOT_GENERAL", "STABLEHLO_CONVOLUTION"]
)
def test_products_only_their_author_knows_are_unknown(tmp_path, name):
    found = _operator(tmp_path, name, [(4, 4), (4, 4)], (4, 4))
    assert found.operators[0].macs is None
    assert found.macs is None
    assert (found.known_macs, found.unknown_macs) == (0, 1)


@pytest.mark.parametrize(
    ("name", "inputs", "output"),
    [
        ("CONV_2D", [(1, 8, 8, 3)], (1, 6, 6, 16)),
        ("CONV_2D", [(1, 8, 8, 3), (3, 3)], (1, 6, 6, 16)),
        ("CONV_2D", [(1, 8, 8, 3), _ABSENT], (1, 6, 6, 16)),
        ("BATCH_MATMUL", [(5,), (5, 6)], (6,)),
        ("BATCH_MATMUL", [(5, 3), (5, 6)], (4, 6)),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", [(2, 3), *_LSTM], (2, 5)),
    ],
    ids=["none", "rank", "absent", "vector", "no-product", "no-sequence"],
)
def test_operands_that_make_no_sense_are_unknown(
    tmp_path, name, inputs, output
):
    assert _operator(tmp_path, name, inputs, output).operators[0].macs is None


def test_an_open_dimension_is_never_guessed(tmp_path):
    inputs, output = [(1, 12), (10, 12)], (1, 10)
    found = _operator(
        tmp_path, "FULLY_CONNECTED", inputs, output, _0=[-1, 12], _2=[-1, 10]
    )
    assert found.operators[0].macs is None
    assert found.macs is None


def test_open_dimensions_that_do_not_matter_are_ignored(tmp_path):
    found = _operator(
        tmp_path, "FULLY_CONNECTED", [(1, 12), (10, 12)], (1, 10), _0=[-1, 12]
    )
    assert found.macs == 120
