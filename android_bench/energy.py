# SPDX-License-Identifier: Apache-2.0
"""Estimates the energy of an inference from a phone's battery gauge.

The gauge is read on the phone, a few times a second, while it idles and while
the tool runs for long; the difference is the model's. A phone that is powered
tells its charger's current instead, so that this needs adb over Wi-Fi.
"""

import re
from concurrent import futures

from android_bench import device as device_lib
from android_bench import state
from android_bench import tool as tool_lib
from tflite_opt.benchmark import tool_output
from tflite_opt.records import benchmark, energy, errors

_SUPPLY = "/sys/class/power_supply/battery"
_POLL_S = 0.25
# The tool loads its model before it computes, and ends before its time.
_SETTLING_FRACTION = 0.2
_READING = re.compile(r"^(-?\d+) (\d+)$", re.MULTILINE)
# No phone draws 20 A: a larger number is in microamperes.
_LARGEST_MA = 20_000
_TIMEOUT_S = 60.0


class Meter:
    """Estimates energy on one phone.

    Args:
        device: The phone.
        used: The tool, open.
        duration_s: How long the tool runs; the idle phone is watched for a
            third of it.

    Raises:
        BenchmarkError: If the phone is powered, or hides its gauge.
    """

    def __init__(
        self,
        device: device_lib.Device,
        used: tool_lib.Tool,
        duration_s: float,
    ) -> None:
        self._device = device
        self._tool = used
        self._duration_s = duration_s
        seen = state.read(device)
        if seen.is_powered or seen.is_charging:
            raise errors.BenchmarkError(
                "Energy must be measured on battery. Received: "
                f"{device.serial}, which is powered. Connect it over Wi-Fi "
                "with `adb connect`, and unplug it."
            )
        self._idle = self._watch(duration_s / 3)

    def estimate(
        self, name: str, model: str, options: benchmark.RuntimeOptions
    ) -> energy.EnergyEstimate:
        """Returns the energy of one inference.

        Args:
            name: Of the artifact, for messages.
            model: Where the `.tflite` is on the device.
            options: Of the launch; how long it lasts is replaced.

        Raises:
            BenchmarkError: If the tool fails, or the gauge is hidden.
        """
        further = {
            "min_secs": str(self._duration_s),
            "max_secs": str(self._duration_s),
        }
        with futures.ThreadPoolExecutor(1) as pool:
            watching = pool.submit(self._watch, self._duration_s)
            log = self._tool.run(
                name,
                self._tool.arguments(model, options, further),
                cpu_mask=options.cpu_mask,
                timeout_s=options.timeout_s + self._duration_s,
            )
            readings = watching.result()
        inference = tool_output.parse(log.stdout, log.stderr).inference
        if inference is None or not inference.avg_ms:
            raise errors.BenchmarkError(
                f"No energy of {name!r}: the tool printed no latency."
            )
        settling = int(len(readings) * _SETTLING_FRACTION)
        kept = readings[settling : len(readings) - settling] or readings
        power_mw, idle_mw = _power_mw(kept), _power_mw(self._idle)
        return energy.EnergyEstimate(
            # Milliwatts times milliseconds are microjoules.
            energy_mj=(power_mw - idle_mw) * inference.avg_ms / 1e3,
            power_mw=power_mw,
            idle_power_mw=idle_mw,
            duration_s=self._duration_s,
            num_samples=len(kept),
            current_unit="mA" if _is_in_ma(kept) else "uA",
        )

    def _watch(self, duration_s: float) -> list[tuple[int, int]]:
        """Returns current and voltage, as the phone gives them."""
        count = max(int(duration_s / _POLL_S), 2)
        done = self._device.run_script(
            f"i=0; while [ $i -lt {count} ]; do "
            f'echo "$(cat {_SUPPLY}/current_now) $(cat {_SUPPLY}/voltage_now)";'
            f" sleep {_POLL_S}; i=$((i+1)); done",
            timeout_s=_TIMEOUT_S + 4 * duration_s,
        )
        found = [(int(a), int(b)) for a, b in _READING.findall(done.stdout)]
        if not found:
            raise errors.BenchmarkError(
                "Energy needs the phone's battery gauge. Received: "
                f"{self._device.serial}, which hides {_SUPPLY}/current_now."
            )
        return found


def _is_in_ma(readings: list[tuple[int, int]]) -> bool:
    return max(abs(current) for current, _ in readings) < _LARGEST_MA


def _power_mw(readings: list[tuple[int, int]]) -> float:
    to_ma = 1.0 if _is_in_ma(readings) else 1e-3
    # Makers disagree about the sign of discharging.
    powers = [
        abs(current) * to_ma * voltage_uv / 1e6
        for current, voltage_uv in readings
    ]
    return sum(powers) / len(powers)
