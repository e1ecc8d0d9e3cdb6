# SPDX-License-Identifier: Apache-2.0
"""The files of a measurement on a device.

Everything lies below one directory. A file is kept under the hash of its
content, so that it is pushed once, whatever it is called, and a stale one is
never taken for it. What an earlier run could not undo, because its process was
killed, is undone first.
"""

import logging
import pathlib
import shlex
import types
import uuid

from android_bench import device as device_lib
from android_bench import errors
from tflite_opt.records import artifact

_LOG = logging.getLogger(__name__)
ROOT = "/data/local/tmp/tflite_opt"
_SESSION = "session-"
_UNDO = "undo.sh"
_HASH_DIGITS = 16
_UNDO_TIMEOUT_S = 60.0


class Workspace:
    """A context manager around a measurement on one device.

    Only one may be open on a device at a time: what another one left behind
    is removed.

    Args:
        device: The device.
        keep: Whether pushed files stay there, for the next run.
        reconnect_timeout_s: How long to wait for a device that went away when
            its files are to be removed.
    """

    def __init__(
        self,
        device: device_lib.Device,
        *,
        keep: bool = False,
        reconnect_timeout_s: float = 60.0,
    ) -> None:
        self._device = device
        self._keep = keep
        self._reconnect_timeout_s = reconnect_timeout_s
        self._pushed: dict[str, tuple[pathlib.Path, str]] = {}
        # A push that fails leaves its folder.
        self._folders: set[str] = set()
        self._undo: list[str] = []
        self.scratch = f"{ROOT}/{_SESSION}{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> "Workspace":
        self._device.run_script(
            f"[ -f {ROOT}/{_UNDO} ] && sh {ROOT}/{_UNDO}; "
            f"rm -rf {ROOT}/{_SESSION}* {ROOT}/{_UNDO}",
            timeout_s=_UNDO_TIMEOUT_S,
        )
        self._make_scratch()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        try:
            try:
                self._leave()
            except errors.DeviceLostError:
                self._device.wait(self._reconnect_timeout_s)
                self._leave()
        except errors.DeviceError as error:
            _LOG.warning(
                "Files and settings of %s could not be put back; the next run "
                "on it does so first: %s",
                self._device.serial,
                error,
            )

    def put(self, local: pathlib.Path, sha256: str, name: str) -> str:
        """Returns where a file is on the device, pushed if it is not there.

        Args:
            local: The file.
            sha256: Of it.
            name: What it is called there; no spaces.

        Raises:
            TransferError: If it cannot be written there.
            TransferError: If it is not the file of that hash any more.
        """
        remote = f"{ROOT}/{sha256[:_HASH_DIGITS]}/{name}"
        if remote in self._pushed:
            return remote
        self._folders.add(remote.rpartition("/")[0])
        if self._device.sha256(remote) == sha256:
            _LOG.info("%s: %s is there", self._device.serial, local.name)
        else:
            _LOG.info("%s: pushing %s", self._device.serial, local.name)
            sent = self._device.push(local, remote)
            if sent != sha256:
                raise errors.TransferError(
                    "A file must stay as it is while it is measured. Received: "
                    f"{str(local)!r} with sha256={sent}, before {sha256}."
                )
        self._pushed[remote] = local, sha256
        return remote

    def put_model(self, item: artifact.Artifact) -> str:
        """Returns where a `.tflite` is on the device; see `put`."""
        return self.put(item.path, item.sha256, "model.tflite")

    def repair(self) -> None:
        """Puts back what a reboot or another program may have removed."""
        self._make_scratch()
        pushed, self._pushed = self._pushed, {}
        for remote, (local, sha256) in pushed.items():
            self.put(local, sha256, remote.rpartition("/")[2])

    def undo_at_end(self, command: str) -> None:
        """Runs a command on the device when the workspace is left.

        It is also written down there, for the case that this process is
        killed. Give it before what it undoes is done.
        """
        self._undo.insert(0, command)
        content = "\n".join(self._undo) + "\n"
        self._device.run_script(
            f"printf %s {shlex.quote(content)} > {ROOT}/{_UNDO}"
        )

    def _make_scratch(self) -> None:
        made = self._device.shell(["mkdir", "-p", self.scratch])
        if made.exit_code:
            raise errors.TransferError(
                f"Cannot make {self.scratch!r} on {self._device.serial}: "
                f"{made.stderr.strip() or f'exit code {made.exit_code}'}"
            )

    def _leave(self) -> None:
        for command in self._undo:
            done = self._device.run_script(command, timeout_s=_UNDO_TIMEOUT_S)
            if done.exit_code:
                _LOG.warning(
                    "%s: `%s` failed: %s",
                    self._device.serial,
                    command,
                    done.stderr.strip(),
                )
        self._device.shell(["rm", "-rf", self.scratch, f"{ROOT}/{_UNDO}"])
        folders = sorted(self._folders)
        if folders and not self._keep:
            self._device.shell(["rm", "-rf", *folders])
        # Those with files that are kept stay, here or of another run.
        self._device.shell(["rmdir", *folders, ROOT])
