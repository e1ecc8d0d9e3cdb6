# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.benchmark import rapl


def _zone(root, name, energy_uj, range_uj=1_000_000):
    zone = root / name
    zone.mkdir(exist_ok=True)
    (zone / "energy_uj").write_text(f"{energy_uj}\n")
    (zone / "max_energy_range_uj").write_text(f"{range_uj}\n")


def test_a_machine_without_counters_has_nothing_to_read(tmp_path):
    meter = rapl.Meter(tmp_path / "none")
    assert not meter.is_readable
    assert meter.read().counters_uj == ()


def test_counters_that_only_root_may_read_are_none(tmp_path):
    (tmp_path / "intel-rapl:0").mkdir()
    assert not rapl.Meter(tmp_path).is_readable


def test_packages_are_summed_and_their_parts_are_not(tmp_path):
    _zone(tmp_path, "intel-rapl:0", 100)
    _zone(tmp_path, "intel-rapl:1", 200)
    _zone(tmp_path, "intel-rapl:0:0", 50)
    assert rapl.Meter(tmp_path).read().counters_uj == (100, 200)


def test_power_survives_a_counter_that_starts_again(tmp_path):
    _zone(tmp_path, "intel-rapl:0", 0)
    meter = rapl.Meter(tmp_path)
    before = rapl.Reading(at_ns=0, counters_uj=(900_000,))
    after = rapl.Reading(at_ns=10**9, counters_uj=(400_000,))
    # Half a joule in a second.
    assert meter.power_mw(before, after) == pytest.approx(500.0)


def test_what_is_idle_is_subtracted_from_an_inference():
    found = rapl.estimate(
        power_mw=5000.0, idle_power_mw=1000.0, duration_s=2.0, num_runs=100
    )
    assert found.energy_mj == pytest.approx(80.0)
    assert found.source == "RAPL"
