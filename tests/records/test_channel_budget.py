# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tflite_opt.records import channel_budget, errors


def test_each_round_removes_the_same_fraction():
    budget = channel_budget.Budget(kind="channels", fraction=0.25)
    assert budget.after(1, 2).fraction == 0.5
    assert budget.after(2, 2) is budget


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Exactly one of channels, macs, parameters, file_bytes, latency"),
        ({"macs": 0.5, "latency": 0.5}, "Received: macs=0.5, latency=0.5."),
        ({"macs": 50.0}, "Received: macs=50.0. Write 0.5 for 50 %."),
        ({"macs": 0.0}, "must be a fraction in (0, 1)"),
        ({"macs": 1.0}, "Received: macs=1.0."),
        ({"latency": -0.1}, "`latency` must be a fraction"),
    ],
)
def test_rejects_what_is_no_budget(given, message):
    fields = {"channels": None, "macs": None, "latency": None} | given
    with pytest.raises(errors.InputError, match=re.escape(message)):
        channel_budget.only(fields)
