# SPDX-License-Identifier: Apache-2.0
from tflite_opt.records import android, android_launch, tool_output


def _state(little_mhz, prime_mhz, load=None):
    return android.DeviceState(
        taken_at="",
        online_cpus=(0, 1, 7),
        frequencies=(
            android.CpuFrequency(cpus=(0, 1), current_mhz=little_mhz),
            android.CpuFrequency(cpus=(7,), current_mhz=prime_mhz),
        ),
        load_average=load,
    )


_LAUNCH = android_launch.AndroidLaunch(
    log=tool_output.ToolLog(command=(), started_at="", stdout="", stderr=""),
    before=_state(300.0, 500.0, load=1.5),
    after=_state(1800.0, 2800.0),
)


def test_clocks_are_those_of_the_cpus_that_were_used():
    state = _LAUNCH.machine_state((7,))
    assert state.cpus == (7,)
    assert state.mhz_before == 500.0
    assert state.mhz_after == 2800.0
    assert state.load_before == 1.5
    assert state.load_after is None


def test_without_a_choice_all_clocks_count():
    state = _LAUNCH.machine_state(())
    assert state.cpus == (0, 1, 7)
    assert state.mhz_before == 400.0


def test_a_phone_that_hides_its_clocks_has_none():
    hidden = android.DeviceState(taken_at="")
    launch = android_launch.AndroidLaunch(
        log=_LAUNCH.log, before=hidden, after=hidden
    )
    assert launch.machine_state(()).mhz_before is None
