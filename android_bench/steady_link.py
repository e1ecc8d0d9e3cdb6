# SPDX-License-Identifier: Apache-2.0
"""Work on a device that may go away and come back, or be told to stop."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from android_bench import device as device_lib
from android_bench import errors, settings, workspace

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
# A cable that is loose does not get better.
_MAX_LOSSES = 5


class SteadyLink:
    """Does pieces of work on a device, each until it is done.

    Args:
        device: The device.
        space: Repaired when the device is back.
        changed: Settings that are changed again then.
        stopped: Set by whoever wants the work to end.
        timeout_s: How long to wait for the device.
    """

    def __init__(
        self,
        device: device_lib.Device,
        space: workspace.Workspace,
        changed: settings.Settings,
        stopped: threading.Event,
        timeout_s: float,
    ) -> None:
        self._device = device
        self._space = space
        self._settings = changed
        self._stopped = stopped
        self._timeout_s = timeout_s
        self._num_losses = 0

    def do(self, work: Callable[..., _T], *arguments: object) -> _T:
        """Does the work, again from its start if the device goes away.

        Args:
            work: The work.
            *arguments: It gets them.

        Raises:
            StoppedError: If it was told to stop.
            DeviceLostError: If the device went away too often.
            DeviceTimeoutError: If it did not come back.
        """
        is_away = False
        while True:
            self._require_going()
            try:
                if is_away:
                    self._device.wait(self._timeout_s)
                    self._space.repair()
                    self._settings.apply_again(self._device)
                return work(*arguments)
            except errors.DeviceLostError as error:
                self._num_losses += 1
                if self._num_losses > _MAX_LOSSES:
                    raise
                _LOG.warning("%s Waiting for it.", error)
                is_away = True
            finally:
                # What was killed on purpose has not failed.
                self._require_going()

    def sleep(self, seconds: float) -> None:
        """Waits.

        Raises:
            StoppedError: As soon as it is told to stop.
        """
        self._stopped.wait(seconds)
        self._require_going()

    def _require_going(self) -> None:
        if self._stopped.is_set():
            raise errors.StoppedError(
                f"The measurement on {self._device.serial} was stopped. "
                "Finished launches are kept: give --resume."
            )
