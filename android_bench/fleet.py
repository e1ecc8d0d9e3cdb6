# SPDX-License-Identifier: Apache-2.0
"""Several devices at the same time; one that fails does not stop others."""

import contextlib
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import TypeVar

from android_bench import errors as device_errors
from android_bench import runner as runner_lib
from tflite_opt.records import errors

_T = TypeVar("_T")
_STOP_POLL_S = 0.5


def measure(
    runners: Sequence[runner_lib.AndroidRunner],
    work: Callable[[runner_lib.AndroidRunner], _T],
) -> list[_T | errors.TfliteOptError]:
    """Does the same on each device, each in a thread of its own.

    Ctrl-C, and whatever else is raised here, stops all of them, and waits
    until they have cleaned up.

    Args:
        runners: One for each device.
        work: Gets one of them.

    Returns:
        For each device what the work returned, or the expected error that
        ended it.
    """

    def outcome(
        runner: runner_lib.AndroidRunner,
    ) -> _T | errors.TfliteOptError:
        try:
            return work(runner)
        except errors.TfliteOptError as error:
            return error

    with futures.ThreadPoolExecutor(max(len(runners), 1)) as pool:
        running = [pool.submit(outcome, runner) for runner in runners]
        try:
            futures.wait(running, return_when=futures.FIRST_EXCEPTION)
            return [future.result() for future in running]
        except BaseException:
            _stop(runners, running)
            raise


def _stop(
    runners: Sequence[runner_lib.AndroidRunner],
    running: "Sequence[futures.Future[_T]]",
) -> None:
    left = True
    # A launch may have begun just after it was looked for.
    while left:
        for runner in runners:
            with contextlib.suppress(device_errors.DeviceError):
                runner.stop()
        left = bool(futures.wait(running, timeout=_STOP_POLL_S).not_done)
