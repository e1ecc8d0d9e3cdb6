# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tflite_opt.records import (
    android,
    android_launch,
    benchmark,
    machine,
    tool_output,
)
from tflite_opt.report.page import launch_charts


def _rows(view):
    """Returns the rows of a chart, of all its layers."""
    return [row for rows in view.spec["datasets"].values() for row in rows]


def _result(**fields):
    return factories.result(factories.tflite(), **fields)


def _logs(folder):
    def state(celsius):
        temperature = android.Temperature(
            name="cpu0", kind="cpu", celsius=celsius
        )
        return android.DeviceState(
            taken_at="2026-01-01T00:00:00+00:00",
            temperatures=(temperature,),
            battery_fraction=0.8,
        )

    device = android.AndroidDevice(
        **dict.fromkeys(
            ("manufacturer", "model", "device", "soc", "android_version")
        ),
        device_key="k",
        abis=(),
        sdk=None,
        fingerprint=None,
        clusters=(),
        num_cpus=None,
        memory_bytes=None,
        is_rooted=False,
        is_emulator=False,
    )
    log = tool_output.ToolLog(command=(), started_at="", stdout="", stderr="")
    launch = android_launch.AndroidLaunch(
        log=log, before=state(30.0), after=state(41.5)
    )
    path = folder / "int8.logs.json"
    android_launch.AndroidLogs(
        device=device, binary_sha256="0", launches=(launch,)
    ).save(path)
    return path


def test_a_phone_shows_its_temperatures_and_what_was_steady(tmp_path):
    (found,) = launch_charts.states([_result(logs_path=_logs(tmp_path))])
    (view,) = found.views
    assert view.title == "temperature, degrees Celsius"
    assert [row["value"] for row in _rows(view)] == [30.0, 41.5]
    assert found.steady == ["charge of the battery: 0.8 throughout"]


def test_a_machine_that_tells_nothing_has_no_view():
    launch = factories.launch(state=machine.MachineState())
    assert launch_charts.states([_result(launches=(launch,))]) == []


def test_a_tool_without_samples_shows_what_it_prints():
    summary = tool_output.LatencySummary(
        count=50, min_ms=0.9, avg_ms=1.1, max_ms=2.0, median_ms=1.0
    )
    launch = factories.launch(summary=summary)
    result = _result(samples_path=None, launches=(launch,))
    (view,) = launch_charts.latency([result])
    assert "What the tool prints" in view.caption
    assert _rows(view) == [
        {"launch": 1, "inferences": 50, "p5": 0.9, "median": 1.0, "p95": 2.0}
    ]


def test_what_has_neither_samples_nor_a_summary_has_no_view():
    result = _result(samples_path=None, launches=(factories.launch(),))
    assert launch_charts.latency([result]) == []


def test_a_soak_is_drawn_by_the_middles_of_its_windows():
    window = benchmark.DriftWindow(
        start_s=2.0, end_s=4.0, median_ms=1.0, p95_ms=1.5, num_samples=10
    )
    (view,) = launch_charts.drift([_result(drift=(window,))])
    assert [(row["s"], row["ms"]) for row in _rows(view)] == [
        (3.0, pytest.approx(1.0)),
        (3.0, pytest.approx(1.5)),
    ]
