# SPDX-License-Identifier: Apache-2.0
import importlib.util

import pytest

from tflite_opt.compression import training_energy


def test_without_codecarbon_nothing_is_assumed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert training_energy.Meter().stop() is None


def test_codecarbon_tells_kilowatt_hours():
    pytest.importorskip("codecarbon")
    meter = training_energy.Meter()
    sum(range(3_000_000))
    assert 0 < meter.stop() < 1e-3
