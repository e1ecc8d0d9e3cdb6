# SPDX-License-Identifier: Apache-2.0
import dataclasses
import pathlib

import pytest

from tests import factories
from tflite_opt.records import errors, golden


def _golden():
    return golden.Golden(
        signature_key=None,
        inputs=(golden.GoldenInput(spec=factories.spec("int8"), position=0),),
        outputs=(
            golden.GoldenOutput(
                spec=factories.spec(name="y"),
                position=0,
                tolerance=(0.5, 0.25),
                margin=0.25,
                derivation="measured",
            ),
        ),
        num_examples=2,
        preprocessing="unit",
        artifact_sha256="0" * 64,
        original_sha256="1" * 64,
    )


def test_a_description_survives_json():
    assert golden.Golden.from_json(_golden().to_json()) == _golden()


@pytest.mark.parametrize(
    "fields", [{"num_examples": 3}, {"outputs": ()}], ids=["count", "none"]
)
def test_each_example_needs_a_tolerance(fields):
    with pytest.raises(errors.InputError, match="a tolerance for each example"):
        dataclasses.replace(_golden(), **fields)


def test_vectors_lie_beside_their_file():
    found = golden.path_beside(pathlib.Path("runs/a.b.tflite"))
    assert found == pathlib.Path("runs/a.b.golden.npz")
