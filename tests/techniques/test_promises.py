# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests import factories
from tflite_opt.records import errors
from tflite_opt.techniques import bias_correction, full_integer, promises


def test_a_float_tensor_inside_breaks_the_promise_of_integers():
    model = factories.model_facts(
        factories.tensor(0, dtype="int8"),
        factories.tensor(1, dtype="float32", name="swish"),
        inputs="int8",
        outputs="int8",
        operators=(("MUL", (0, 1)),),
    )
    with pytest.raises(errors.VerificationError, match="'swish'"):
        promises.verify_integer_only(
            full_integer.FullInteger(), model, "int8", "int8"
        )


def test_a_float_tensor_that_nothing_uses_is_not_inside():
    model = factories.model_facts(
        factories.tensor(0, dtype="int8"),
        factories.tensor(1, dtype="float32", name="lstm_intermediate"),
        inputs="int8",
        outputs="int8",
        operators=(("UNIDIRECTIONAL_SEQUENCE_LSTM", (0,)),),
    )
    promises.verify_integer_only(
        full_integer.FullInteger(), model, "int8", "int8"
    )


def test_indices_keep_their_dtype_in_an_integer_model():
    model = factories.model_facts(
        factories.tensor(0, dtype="int8"), inputs="int32", outputs="int8"
    )
    promises.verify_integer_only(
        full_integer.FullInteger(), model, "int8", "int8"
    )


_BEFORE = factories.model_facts(factories.tensor(0), factories.tensor(1))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"min_runtime_version": "2.0.0"}, "keep min_runtime_version"),
        ({"inputs": (factories.spec("int8"),)}, "keep inputs"),
        (
            {"tensors": (factories.tensor(0), factories.tensor(1, scales=1))},
            "keep all tensors",
        ),
    ],
    ids=["version", "inputs", "tensors"],
)
def test_another_structure_breaks_the_promise(changes, part):
    after = dataclasses.replace(_BEFORE, **changes)
    with pytest.raises(errors.VerificationError, match=part):
        promises.verify_same_structure(
            bias_correction.BiasCorrection(), _BEFORE, after
        )


def test_names_inside_may_differ():
    tensors = [dataclasses.replace(t, name="") for t in _BEFORE.tensors]
    after = dataclasses.replace(_BEFORE, tensors=tuple(tensors))
    promises.verify_same_structure(
        bias_correction.BiasCorrection(), _BEFORE, after
    )
