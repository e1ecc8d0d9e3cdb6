# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tflite_opt.records import errors, pruning


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Exactly one of `final_sparsity` and `n_of_m`"),
        ({"final_sparsity": 0.5, "n_of_m": (2, 4)}, "Exactly one"),
        (
            {"final_sparsity": 80.0},
            "`final_sparsity` must be a fraction in [0, 1). Received: "
            "final_sparsity=80.0. Write 0.8 for 80 %.",
        ),
        ({"final_sparsity": 1.0}, "Received: final_sparsity=1.0."),
        ({"final_sparsity": -0.5}, "Received: final_sparsity=-0.5."),
        ({"n_of_m": (4, 2)}, "0 < n < m: n zeros among m weights. Received"),
        ({"n_of_m": (4, 4)}, "Received: n_of_m=(4, 4)"),
        ({"n_of_m": (0, 4)}, "Received: n_of_m=(0, 4)"),
        ({"n_of_m": (1, 2, 4)}, "Received: n_of_m=(1, 2, 4)"),
        ({"n_of_m": (2, 4), "block_size": (1, 4)}, "`n_of_m` has no blocks"),
        (
            {"final_sparsity": 0.5, "block_size": (0, 4)},
            "Received: block_size=(0, 4)",
        ),
    ],
)
def test_rejects_patterns_that_do_not_exist(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        pruning.Pattern(**fields)


def test_n_of_m_is_a_sparsity():
    assert pruning.Pattern(n_of_m=(3, 4)).sparsity == 0.75
    assert pruning.Pattern(final_sparsity=0.6).sparsity == 0.6


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"begin": 0.8, "end": 0.5},
            "0 <= begin < end <= 1. Received: begin=0.8, end=0.5",
        ),
        ({"begin": 0.5, "end": 0.5}, "Received: begin=0.5, end=0.5"),
        ({"end": 75.0}, "Received: begin=0.0, end=75.0"),
        ({"begin": -0.1}, "Received: begin=-0.1"),
        ({"frequency": 0}, "at least 1 step. Received: frequency=0"),
        ({"initial_sparsity": 50.0}, "Write 0.5 for 50 %."),
    ],
)
def test_rejects_times_that_do_not_exist(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        pruning.Timing(**fields)
