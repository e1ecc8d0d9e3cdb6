# SPDX-License-Identifier: Apache-2.0
"""Lists the phones that adb knows, and whether they are fit to measure.

    python -m scripts.android_devices

Nothing is changed on them. Exit code 0 when all are fit, 1 when one is not, 2
when there is no adb server or no phone.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from tflite_opt.records import errors
from tflite_opt.report import devices_text

from . import _android_flags, _cli

if TYPE_CHECKING:
    from android_bench import connected, server

_CONNECT = flags.DEFINE_multi_string(
    "connect", [], "HOST:PORT of a phone in the network; repeatable."
)


def main(arguments: Sequence[str]) -> int:
    """Lists the phones."""
    _cli.reject_positional(arguments)
    found = _android_flags.connect()
    for address in _CONNECT.value:
        found.connect_network_device(address)
    devices = found.devices()
    if not devices:
        raise errors.InputError(
            "A phone must be connected. Received: none. Plug one in with USB "
            "debugging on, or give --connect=HOST:PORT."
        )
    rows, documents = [], []
    for device in devices:
        row, document = _look_at(found, device)
        rows.append(row)
        documents.append(document)
    _cli.emit(documents, devices_text.devices(rows))
    return 0 if all(x["is_fit"] for x in documents) else 1


def _look_at(
    adb: "server.Server", found: "connected.ConnectedDevice"
) -> tuple[tuple[str, ...], dict[str, Any]]:
    from android_bench import description, readiness, state
    from android_bench import errors as device_errors

    document: dict[str, Any] = {"serial": found.serial, "state": found.state}
    try:
        device = adb.device(found.serial)
        described, seen = description.describe(device), state.read(device)
    except device_errors.DeviceError as error:
        row = devices_text.unusable_row(found.serial, str(error))
        return row, document | {"is_fit": False, "reason": str(error)}
    obstacles = readiness.obstacles(seen)
    row = devices_text.device_row(found.serial, described, seen, obstacles)
    return row, document | {
        "is_fit": not obstacles,
        "obstacles": list(obstacles),
        "cautions": list(readiness.cautions(seen)),
        "device": described.to_json(),
        "device_state": seen.to_json(),
    }


if __name__ == "__main__":
    _cli.run(main)
