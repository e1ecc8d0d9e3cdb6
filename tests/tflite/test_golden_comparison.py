# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests import factories
from tflite_opt.records import golden
from tflite_opt.tflite import golden_comparison

EXPECTED = np.array([[1, 2], [3, -4], [5, 6]], np.float32)


def _tolerance(*runs, step=None):
    kernels = ("XNNPACK", "the builtin kernels")
    return golden_comparison.tolerance(
        factories.spec(name="y"),
        0,
        dict(zip(kernels, runs, strict=False)),
        EXPECTED,
        step,
    )


def test_differences_are_the_largest_of_each_example():
    found = EXPECTED + np.array([[0.5, -1], [0, 0], [0, 0.25]], np.float32)
    apart = golden_comparison.differences(found, EXPECTED)
    assert apart.tolist() == [1, 0, 0.25]


def test_infinity_and_nan_are_no_difference_to_themselves():
    values = np.array([[np.inf, -np.inf], [np.nan, 0], [1, 2]], np.float32)
    assert golden_comparison.differences(values, values).tolist() == [0, 0, 0]
    apart = golden_comparison.differences(values, EXPECTED)
    assert apart[:2].tolist() == [np.finfo(np.float32).max] * 2
    assert apart[2] == 4


def test_the_larger_error_of_both_kernels_counts_for_each_example():
    first, second = EXPECTED.copy(), EXPECTED.copy()
    first[0, 0] += 0.5
    second[2, 1] += 0.25
    found = _tolerance(first, second, step=1.0)
    assert found.tolerance == (2.5, 2, 2.25)
    assert found.margin == 2
    assert "XNNPACK and the builtin kernels (at most 0.5)" in found.derivation


def test_kernels_that_differ_by_more_widen_the_margin():
    found = _tolerance(EXPECTED, EXPECTED + np.float32(0.5))
    assert found.margin == 0.5
    assert found.tolerance == (1, 1, 1)
    assert "what two kernels differ by, 0.5" in found.derivation


def test_one_kernel_is_enough():
    found = _tolerance(EXPECTED)
    assert found.margin == pytest.approx(6e-4)
    assert "measured with XNNPACK (" in found.derivation


def test_a_comparison_counts_the_examples_within():
    output = golden.GoldenOutput(
        spec=factories.spec(name="y"),
        position=0,
        tolerance=(0.5, 0.5, 2),
        margin=0.5,
        derivation="",
    )
    found = EXPECTED + np.array([[0, 0], [0, 8], [1.5, 0]], np.float32)
    replayed = golden_comparison.compare(output, found, EXPECTED)
    assert replayed.examples_within == 2
    assert replayed.max_absolute_difference == 8
    assert (replayed.min_tolerance, replayed.max_tolerance) == (0.5, 2)
    assert replayed.top1_agreement == pytest.approx(1 / 3)
    cosine = (found * EXPECTED).sum() / np.sqrt(
        np.square(found).sum() * np.square(EXPECTED).sum()
    )
    assert replayed.cosine_similarity == pytest.approx(cosine)


def test_no_cosine_of_zeros():
    output = golden.GoldenOutput(
        spec=factories.spec(name="y"),
        position=0,
        tolerance=(1, 1, 1),
        margin=1,
        derivation="",
    )
    zeros = np.zeros_like(EXPECTED)
    replayed = golden_comparison.compare(output, zeros, EXPECTED)
    assert replayed.cosine_similarity is None
