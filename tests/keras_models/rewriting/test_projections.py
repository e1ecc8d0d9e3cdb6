# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.rewriting import projections

pytestmark = pytest.mark.tensorflow


def _rewritten(*args, **settings):
    import tf_keras as keras

    layer = keras.layers.EinsumDense(*args, name="einsum", **settings)
    return same.rewritten(
        same.chain((5, 2, 3), layer), projections.einsum_to_dense
    )


@pytest.mark.parametrize(
    ("equation", "shape", "bias_axes", "kinds"),
    [
        ("abcd,de->abce", (5, 2, 4), "e", ["Dense"]),
        ("...d,de->...e", 4, None, ["Dense"]),
        ("...cd,cde->...e", (5, 4), "e", ["Reshape", "Dense"]),
        ("abcd,def->abcef", (5, 2, 4, 2), "ef", ["Dense", "Reshape"]),
        ("abcd,def->abcef", (5, 2, 4, 2), "e", ["Dense", "Reshape", "Bias"]),
        ("abcd,de->abce", (5, 2, 4), "be", ["Dense", "Bias"]),
    ],
)
def test_a_product_over_the_last_axes_is_dense(
    equation, shape, bias_axes, kinds
):
    found = _rewritten(equation, shape, bias_axes=bias_axes)
    assert same.kinds(found) == kinds
    assert "einsum" in [call.layer.name for call in found.calls]
    is_apart = "Bias" in kinds
    assert found.renamed == (
        {("einsum", "bias"): ("einsum_bias", "bias")} if is_apart else {}
    )


def test_an_activation_comes_last():
    found = _rewritten(
        "abcd,de->abce", (5, 2, 4), bias_axes="b", activation="tanh"
    )
    assert same.kinds(found) == ["Dense", "Bias", "Activation"]


def test_a_frozen_layer_stays_frozen():
    found = _rewritten(
        "abcd,de->abce", (5, 2, 4), bias_axes="b", trainable=False
    )
    assert [call.layer.trainable for call in found.calls] == [False, False]


@pytest.mark.parametrize(
    ("equation", "shape"),
    [("abcd,cde->abce", (5, 2, 4)), ("abcd,be->aecd", (4, 2, 3))],
)
def test_other_products_stay_as_they_are(equation, shape):
    assert same.kinds(_rewritten(equation, shape)) == ["EinsumDense"]
