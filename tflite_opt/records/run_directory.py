# SPDX-License-Identifier: Apache-2.0
"""The directory of one run: what was made, from what, and what is missing.

Each stage declares its inputs (hashes, fields, versions) and its output files.
A resumed run redoes a stage when an input differs or an output is missing or
has other bytes; everything else it keeps.
"""

import dataclasses
import importlib.metadata
import json
import pathlib
import shutil
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import tflite_opt
from tflite_opt.records import errors, files, serialization

_MANIFEST = "manifest.json"
_PACKAGES = (
    "tensorflow",
    "tf_keras",
    "tensorflow-model-optimization",
    "ai-edge-litert",
    "litert-quantizer",
    "numpy",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageEntry(serialization.Record):
    """A finished stage.

    Attributes:
        key: Hash of `inputs`.
        inputs: Canonical JSON of what the stage depended on.
        outputs: From path relative to the run directory to SHA-256.
    """

    key: str
    inputs: str
    outputs: dict[str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunManifest(serialization.Record):
    """How a run was made.

    Attributes:
        command: The command line, as typed.
        versions: Package versions by distribution name.
        stages: Finished stages by name.
    """

    command: str
    versions: dict[str, str]
    stages: dict[str, StageEntry]


def package_versions() -> dict[str, str]:
    """Returns the versions that results depend on, without importing them."""
    versions = {"tflite_opt": tflite_opt.__version__}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions


class RunDirectory:
    """A run directory that is open for writing.

    Use `create` for a command that writes and `open` for one that reads or
    adds to a finished run.
    """

    def __init__(self, root: pathlib.Path, manifest: RunManifest) -> None:
        self.root = root
        self.manifest = manifest
        # Several devices finish their stages in threads.
        self._lock = threading.Lock()

    @classmethod
    def create(
        cls,
        root: pathlib.Path,
        *,
        command: str,
        resume: bool = False,
        overwrite: bool = False,
    ) -> "RunDirectory":
        """Makes the directory, continues it, or makes it anew.

        Args:
            root: Its place.
            command: The command line, for the manifest.
            resume: Keep an existing run and redo what is missing or was made
                from other inputs.
            overwrite: Remove an existing run first.

        Raises:
            OutputError: If it exists and neither was asked for, if it holds
                something that is not a run, or if it cannot be written.
        """
        root = root.expanduser().resolve()
        if resume and overwrite:
            raise errors.InputError(
                "Choose one of --resume and --overwrite. Received: both."
            )
        stages: dict[str, StageEntry] = {}
        if _is_taken(root):
            if not (root / _MANIFEST).is_file():
                raise errors.OutputError(
                    "The output directory must be new, empty or an earlier "
                    f"run. Received: output_dir={str(root)!r}, which holds "
                    "other files. Choose another."
                )
            if resume:
                stages = cls.open(root).manifest.stages
                _remove_partial_files(root)
            elif overwrite:
                _remove_tree(root)
            else:
                raise errors.OutputError(
                    "The output directory must not exist. Received: "
                    f"output_dir={str(root)!r}. Pass --resume to do only what "
                    "is missing, or --overwrite to start again."
                )
        run = cls(
            root,
            RunManifest(
                command=command, versions=package_versions(), stages=stages
            ),
        )
        run._save()
        return run

    @classmethod
    def open(cls, root: pathlib.Path) -> "RunDirectory":
        """Opens an existing run.

        Raises:
            InputError: If there is no run at `root`.
        """
        root = root.expanduser().resolve()
        if not (root / _MANIFEST).is_file():
            raise errors.InputError(
                "A run directory must have a manifest.json. "
                f"Received: {str(root)!r}. Give the --output_dir of an "
                "earlier `scripts.optimize` or `scripts.convert`."
            )
        return cls(root, RunManifest.load(root / _MANIFEST))

    def path(self, *parts: str) -> pathlib.Path:
        """Returns an absolute path inside the run."""
        return self.root.joinpath(*parts)

    def is_done(self, stage: str, inputs: Mapping[str, Any]) -> bool:
        """Whether a stage was finished from the same inputs and is intact."""
        entry = self.manifest.stages.get(stage)
        if entry is None or entry.key != _key(inputs):
            return False
        return all(
            (self.root / path).exists()
            and files.sha256_of_path(self.root / path) == sha256
            for path, sha256 in entry.outputs.items()
        )

    def finish(
        self,
        stage: str,
        inputs: Mapping[str, Any],
        outputs: Iterable[pathlib.Path],
    ) -> None:
        """Records that a stage is finished.

        Args:
            stage: Its name.
            inputs: What `is_done` will compare; plain JSON types.
            outputs: Files or directories it wrote, inside the run.
        """
        entry = StageEntry(
            key=_key(inputs),
            inputs=_canonical(inputs),
            outputs={
                path.relative_to(self.root).as_posix(): files.sha256_of_path(
                    path
                )
                for path in outputs
            },
        )
        with self._lock:
            stages = {**self.manifest.stages, stage: entry}
            self.manifest = dataclasses.replace(self.manifest, stages=stages)
            self._save()

    def _save(self) -> None:
        self.manifest.save(self.root / _MANIFEST)


def _canonical(inputs: Mapping[str, Any]) -> str:
    return json.dumps(inputs, sort_keys=True, separators=(",", ":"))


def _key(inputs: Mapping[str, Any]) -> str:
    return files.sha256_of_text(_canonical(inputs))


def _is_taken(root: pathlib.Path) -> bool:
    try:
        return root.exists() and (not root.is_dir() or any(root.iterdir()))
    except OSError as error:
        raise errors.OutputError(
            f"Cannot read the output directory {str(root)!r}: {error.strerror}."
        ) from error


def _remove_partial_files(root: pathlib.Path) -> None:
    for path in root.rglob(f".*{files.TEMPORARY_SUFFIX}"):
        path.unlink(missing_ok=True)


def _remove_tree(root: pathlib.Path) -> None:
    try:
        shutil.rmtree(root)
    except OSError as error:
        raise errors.OutputError(
            f"Cannot remove the earlier run {str(root)!r}: {error.strerror}."
        ) from error
