# SPDX-License-Identifier: Apache-2.0
"""What an adb server can be asked without talking to a device.

References:
    packages/modules/adb/SERVICES.TXT in AOSP, "HOST SERVICES"
"""

import time

from android_bench import connected, connection, errors

_REQUEST_TIMEOUT_S = 10.0
# `host:connect` waits for the device to answer.
_CONNECT_TIMEOUT_S = 30.0
_POLL_S = 0.2


class HostServices:
    """What an adb server itself can be asked.

    Args:
        address: Where it listens.
    """

    def __init__(self, address: connection.Address) -> None:
        self.address = address

    def devices(self) -> list[connected.ConnectedDevice]:
        """Returns all devices it knows, usable or not, in its order."""
        return connected.parse(self.ask("host:devices-l"))

    def connect_network_device(
        self, address: str, *, timeout_s: float = _CONNECT_TIMEOUT_S
    ) -> None:
        """Lets the server connect to a device that listens on a TCP port.

        Args:
            address: `host:port`, which becomes its serial.
            timeout_s: Longest wait for the device.

        Raises:
            DeviceNotReadyError: If it cannot.
        """
        answer = self.ask(f"host:connect:{address}", timeout_s=timeout_s)
        # Failures come as an answer, not as a refusal, and a device that lets
        # nobody in is "already connected" too.
        known, serial = answer.strip().rpartition("already connected to ")[1:]
        if known:
            states = {found.serial: found.state for found in self.devices()}
            state = states.get(serial, "gone again")
            is_ready = state == connected.READY
            answer = f"already connected, but {state}"
        else:
            is_ready = answer.startswith("connected to")
        if not is_ready:
            raise errors.DeviceNotReadyError(
                "A network device must answer and let adb in. Received: "
                f"{address!r}: {answer.strip()}"
            )

    def disconnect_network_device(self, address: str) -> None:
        """Lets the server forget a network device; nothing if it is unknown."""
        try:
            self.ask(f"host:disconnect:{address}")
        except errors.RefusedError as error:
            if "no such device" not in error.reason:
                raise

    def features(self, serial: str) -> frozenset[str]:
        """Returns the features that the server and a device share."""
        return frozenset(self.ask(f"host-serial:{serial}:features").split(","))

    def wait_for(self, serial: str, *, timeout_s: float) -> None:
        """Waits until a device is ready.

        A network device that is offline is connected to again.

        Raises:
            DeviceTimeoutError: If it is not ready by then.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            states = {found.serial: found.state for found in self.devices()}
            state = states.get(serial, "not connected")
            if state == connected.READY:
                return
            if time.monotonic() > deadline:
                raise errors.DeviceTimeoutError(
                    f"{serial} did not come back in time; it is {state}. Plug "
                    "it in again, then resume."
                )
            if state in ("offline", "not connected"):
                self._reconnect(serial, deadline - time.monotonic())
            time.sleep(_POLL_S)

    def _reconnect(self, serial: str, timeout_s: float) -> None:
        host, _, port = serial.rpartition(":")
        if not (host and port.isdigit()):
            return
        self.disconnect_network_device(serial)
        try:
            self.connect_network_device(
                serial, timeout_s=max(timeout_s, _POLL_S)
            )
        except (errors.DeviceNotReadyError, errors.ServerError):
            # Not yet; whoever waits asks again.
            return

    def ask(
        self, service: str, *, timeout_s: float = _REQUEST_TIMEOUT_S
    ) -> str:
        """Returns the answer to a request.

        Raises:
            RefusedError: If the server refuses.
            ServerError: If it does not answer.
        """
        try:
            with connection.Connection(self.address, timeout_s=timeout_s) as c:
                c.request(service)
                return c.read_text()
        except (EOFError, TimeoutError) as error:
            raise errors.ServerError(
                f"The adb server at {self.address} did not answer "
                f"{service!r}. Run `adb kill-server`, then try again."
            ) from error
