# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.keras_models.pruning import schedules
from tflite_opt.records import pruning

pytestmark = pytest.mark.tensorflow


def updates(num_steps=100, sparsity=0.8, **timing):
    return schedules.updates(pruning.Timing(**timing), sparsity, num_steps)


def test_rises_as_the_polynomial_of_zhu_and_gupta():
    found = updates(begin=0.2, end=0.6, frequency=10)
    assert list(found) == [20, 30, 40, 50, 60]
    assert found[40] == pytest.approx(0.8 * (1 - 0.5**3))
    assert found[20] == 0
    assert found[60] == 0.8


def test_ends_at_the_final_sparsity_whatever_the_frequency():
    found = updates(begin=0.0, end=0.5, frequency=30)
    assert list(found) == [0, 30, 50]
    assert found[50] == 0.8


def test_chooses_about_twenty_times_by_default():
    assert 20 <= len(updates(num_steps=1000)) <= 22
    assert len(updates(num_steps=10)) == 6


def test_starts_at_the_initial_sparsity():
    found = updates(initial_sparsity=0.4)
    assert found[0] == pytest.approx(0.4)
    assert list(found.values()) == sorted(found.values())


def test_an_initial_sparsity_never_exceeds_that_of_the_layer():
    found = updates(initial_sparsity=0.4, sparsity=0.2)
    assert list(found.values()) == pytest.approx([0.2] * len(found))


def test_constant_is_one_shot():
    assert updates(schedule="constant", begin=0.3) == {30: 0.8}


@pytest.mark.parametrize("num_steps", [1, 2])
def test_a_short_training_still_gets_its_zeros(num_steps):
    found = updates(num_steps=num_steps, begin=0.5, end=1.0)
    assert list(found.values())[-1] == 0.8
    assert max(found) < num_steps
