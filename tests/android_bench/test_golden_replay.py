# SPDX-License-Identifier: Apache-2.0
import dataclasses
import pathlib

import numpy as np
import pytest

from android_bench import golden_replay
from tests import factories
from tflite_opt.records import errors, golden
from tflite_opt.tflite import golden as golden_vectors


def _result(delegate, *, within, top1, cosine=1.0):
    output = golden.OutputReplay(
        name="y",
        max_absolute_difference=0.01,
        min_tolerance=0.001,
        max_tolerance=0.001,
        examples_within=within,
        cosine_similarity=cosine,
        top1_agreement=top1,
    )
    return golden.GoldenResult(
        model=pathlib.Path("m.tflite"),
        sha256="0" * 64,
        is_own=True,
        delegate=delegate,
        num_examples=4,
        outputs=(output,),
    )


@pytest.mark.parametrize(
    "result",
    [
        _result("xnnpack", within=3, top1=1.0),
        _result("none", within=0, top1=None),
        _result("gpu", within=3, top1=0.75),
        _result("gpu", within=3, top1=None, cosine=0.99),
        _result("nnapi", within=0, top1=None, cosine=None),
    ],
    ids=["cpu", "builtin", "other_class", "far_away", "not_finite"],
)
def test_what_computes_something_else_is_refused(result):
    message = rf"{result.outputs[0].examples_within} of 4 examples within"
    with pytest.raises(errors.BenchmarkError, match=message):
        golden_replay._require_right("m", result)


def test_a_gpu_may_leave_the_tolerance_where_it_agrees():
    result = _result("gpu", within=1, top1=1.0)
    golden_replay._require_right("m", result)
    (warning,) = golden_replay._warnings(result)
    assert warning.startswith("Outputs of gpu are beyond the tolerance")
    assert golden_replay._warnings(_result("gpu", within=4, top1=1.0)) == ()


def test_outputs_that_are_not_whole_are_refused():
    specs = [factories.spec(), factories.spec("int8", "z")]
    raw = np.arange(4, dtype=np.float32).tobytes() + bytes([1, 2, 3, 255])
    first, second = golden_replay._split(raw, specs, [(1, 4), (1, 4)])
    assert first.tolist() == [[0, 1, 2, 3]]
    assert second.tolist() == [[1, 2, 3, -1]]
    with pytest.raises(errors.BenchmarkError, match="19 bytes of 20"):
        golden_replay._split(raw[:-1], specs, [(1, 4), (1, 4)])


@pytest.mark.parametrize(
    ("count", "text"), [(29, ""), (40, ", 30 of 40 labels right")]
)
def test_labels_count_where_there_are_enough(count, text):
    labels = np.zeros(count, np.int64)
    labels[30:] = 1
    vectors = golden_vectors.GoldenVectors(
        golden=None, inputs={}, outputs={}, labels=labels
    )
    scores = np.tile(np.float32([1, 0]), (count, 1))
    assert golden_replay._accuracy(vectors, {"y": scores}) == text
    without = dataclasses.replace(vectors, labels=None)
    assert golden_replay._accuracy(without, {"y": scores}) == ""
