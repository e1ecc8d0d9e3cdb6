# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.benchmark import local_machine
from tflite_opt.records import benchmark, errors


@pytest.fixture(autouse=True)
def four_cpus(monkeypatch):
    monkeypatch.setattr(local_machine, "usable_cpus", lambda: (0, 1, 2, 3))


def _write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def _check(mask, root):
    local_machine.check_mask(benchmark.RuntimeOptions(cpu_mask=mask), root)


def test_a_mask_of_offline_cpus_is_refused(tmp_path):
    _write(tmp_path, "sys/devices/system/cpu/online", "0-1,3\n")
    _check("b", tmp_path)
    with pytest.raises(errors.InputError, match="online.*CPU 2.*0, 1, 3"):
        _check("f", tmp_path)


def test_a_mask_of_cpus_of_others_is_refused(tmp_path):
    _write(tmp_path, "sys/devices/system/cpu/online", "0-7\n")
    with pytest.raises(errors.InputError, match="this process's.*CPU 4"):
        _check("0x10", tmp_path)


def test_the_clock_is_read_where_the_kernel_shows_it(tmp_path):
    cpuinfo = "".join(f"cpu MHz\t\t: {1000 + i}.5\n" for i in range(8))
    _write(tmp_path, "proc/cpuinfo", cpuinfo)
    assert local_machine.Watch(tmp_path).stop().mhz_before == 1002.0
    for cpu in range(4):
        path = f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq"
        _write(tmp_path, path, f"{(cpu + 1) * 1_000_000}\n")
    assert local_machine.Watch(tmp_path).stop().mhz_after == 2500.0


def test_steal_is_a_share_of_the_time_of_the_cpus_in_use(tmp_path):
    def stat(steal):
        other = "cpu7 0 0 0 0 0 0 0 999999 0 0\n"
        own = f"cpu0 100 0 0 {900 - steal} 0 0 0 {steal} 50 0\n"
        return f"cpu  1 2 3\n{own}{other}"

    _write(tmp_path, "proc/stat", "cpu0 0 0 0 0 0 0 0 0 0 0\n")
    watch = local_machine.Watch(tmp_path)
    _write(tmp_path, "proc/stat", stat(250))
    assert watch.stop().steal_fraction == 0.25


def test_what_the_kernel_hides_is_none(tmp_path):
    found = local_machine.Watch(tmp_path).stop()
    assert found.mhz_before is None
    assert found.steal_fraction is None
    assert found.cpus == (0, 1, 2, 3)
