# SPDX-License-Identifier: Apache-2.0
"""A Ray cluster, as far as a search uses one.

The only module that knows Ray. Whatever waits for the cluster has a time-out:
a task whose resource went away with its host would be waited for for ever.
"""

import json
import logging
import os
import pathlib
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tflite_opt
from tflite_opt.records import errors

_START = "RAY_AUTH_MODE=token ray start --head"
_CONNECT_S = 5.0
_GET_S = 120.0
# Of a task whose host went away.
_RETRIES = 3
# Beside the package in a checkout, and part of it where it is installed.
_CODE = ("tflite_opt", "android_bench", "models", "scripts")


class Cluster:
    """A connection to a Ray cluster.

    Code travels once, with the connection; so does what is `put`.
    """

    def __init__(
        self, address: str, *, modules: Sequence[pathlib.Path] = ()
    ) -> None:
        """Connects.

        Args:
            address: `HOST:PORT` of the head.
            modules: Directories of further packages that tasks import.

        Raises:
            InputError: If Ray is not installed, nothing answers, or the token
                is wrong.
        """
        # Ray reads it when it is imported.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        try:
            import ray
        except ImportError as error:
            raise errors.InputError(
                "--ray_address needs Ray. Received: no package `ray`. "
                'Install it with `pip install "tflite_opt[ray]"`.'
            ) from error
        _require_listener(address)
        self._ray = ray
        try:
            ray.init(
                address=address,
                runtime_env={
                    "py_modules": [str(x) for x in (*_code(), *modules)]
                },
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        # Ray raises what its parts raise, of no common class.
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise _unreachable(address, str(error)) from error

    def require(self, resource: str) -> None:
        """Makes sure that a host offers a resource.

        Raises:
            InputError: If none does.
        """
        found = self._ray.cluster_resources()
        if found.get(resource, 0) < 1:
            option = f"--resources='{json.dumps({resource: 1})}'"
            raise errors.InputError(
                f"A host of the cluster must offer {resource!r}. Received: "
                f"{', '.join(sorted(found)) or 'nothing'}. Start it with "
                f"`ray start --address=HEAD:PORT {option}`."
            )

    def put(self, content: bytes) -> Any:
        """Returns a reference that tasks may get, on any host."""
        return self._ray.put(content)

    def start(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        resource: str | None = None,
    ) -> Any:
        """Starts a task and returns its reference.

        Args:
            function: Of a module that travels. It may run again where a host
                was lost.
            *arguments: Of the function.
            resource: What its host must have, one at a time.
        """
        options: dict[str, Any] = {"num_cpus": 1, "max_retries": _RETRIES}
        if resource is not None:
            options["resources"] = {resource: 1}
        return self._ray.remote(function).options(**options).remote(*arguments)

    def results(self, tasks: Sequence[Any], timeout_s: float) -> Iterator[Any]:
        """Yields what tasks return, as they end.

        Args:
            tasks: References.
            timeout_s: Longest time in which none ends.

        Raises:
            ExecutionError: If none did, or one was lost again and again.
        """
        left = list(tasks)
        try:
            while left:
                done, left = self._ray.wait(
                    left, num_returns=1, timeout=timeout_s
                )
                if not done:
                    raise errors.ExecutionError(
                        f"No job ended within {timeout_s:g} s. A host may be "
                        "gone: see `ray status`. Then go on with --resume."
                    )
                yield self._get(done[0])
        finally:
            for task in left:
                self._ray.cancel(task, force=True)

    def _get(self, task: Any) -> Any:
        try:
            return self._ray.get(task, timeout=_GET_S)
        except self._ray.exceptions.RayTaskError:
            # A bug, which keeps its traceback.
            raise
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[0]
            raise errors.ExecutionError(
                f"The cluster lost a job {_RETRIES + 1} times: {reason} See "
                "`ray status`, then go on with --resume."
            ) from error


def node() -> str:
    """Returns what tells the host of this task from others."""
    import ray

    found: str = ray.get_runtime_context().get_node_id()
    return found


def _code() -> list[pathlib.Path]:
    package = pathlib.Path(tflite_opt.__file__).resolve().parent
    is_checkout = (package.parent / "pyproject.toml").is_file()
    names = _CODE if is_checkout else _CODE[:2]
    found = [package.parent / name for name in names]
    return [path for path in found if path.is_dir()]


def _require_listener(address: str) -> None:
    """Refuses an address where nothing listens, at once: Ray waits long."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise errors.InputError(
            "--ray_address must be HOST:PORT of a cluster's head. Received: "
            f"ray_address={address!r}. Start one with `{_START}`."
        )
    try:
        socket.create_connection((host, int(port)), _CONNECT_S).close()
    except OSError as error:
        raise _unreachable(address, error.strerror or str(error)) from error


def _unreachable(address: str, reason: str) -> errors.InputError:
    return errors.InputError(
        "A Ray cluster must answer at --ray_address, with the same token. "
        f"Received: ray_address={address!r}: {' '.join(reason.split())}. "
        f"Start one with `{_START}`; `ray get-auth-token` shows its token, "
        "for RAY_AUTH_TOKEN here."
    )
