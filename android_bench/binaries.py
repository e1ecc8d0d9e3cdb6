# SPDX-License-Identifier: Apache-2.0
"""Official builds of LiteRT's `benchmark_model`, downloaded once.

Kept by version and ABI with the SHA-256 of the first download, so that a file
that changes, there or here, is noticed. `nightly` changes every day and is
downloaded each time.

References:
    https://developers.google.com/edge/litert/next/benchmark
"""

import logging
import os
import pathlib
import re
import urllib.error
import urllib.request

from tflite_opt.records import errors, files

_LOG = logging.getLogger(__name__)
BASE_URL = "https://storage.googleapis.com/litert/binaries"
_PREFIX = "litert:"
_NIGHTLY = "nightly"
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:rc\d+)?")
# Android's name of an ABI and that of LiteRT's folder; there is no 32-bit one.
_FOLDERS = {"arm64-v8a": "android_arm64"}
_NAME = "benchmark_model"
_TIMEOUT_S = 60.0
_CHUNK_BYTES = 1 << 20


def is_official(text: str) -> bool:
    """Returns whether a text names a build, not a file."""
    return text.startswith(_PREFIX)


def resolve(
    text: str,
    abi: str,
    *,
    base_url: str = BASE_URL,
    cache: pathlib.Path | None = None,
) -> pathlib.Path:
    """Returns the program that a text names, downloaded if it is not here.

    Args:
        text: A path, or `litert:2.2.0` or `litert:nightly`.
        abi: Of the device, in Android's words.
        base_url: Where the builds are.
        cache: Where downloads are kept; by default in the user's cache.

    Raises:
        InputError: If there is no such build for the ABI, it cannot be
            downloaded, or it is not the file of the first download.
    """
    if not is_official(text):
        return pathlib.Path(text)
    version = text.removeprefix(_PREFIX)
    if version != _NIGHTLY and not _VERSION.fullmatch(version):
        raise errors.InputError(
            "An official build must be named litert:VERSION, as litert:2.2.0, "
            f"or litert:nightly. Received: benchmark_binary={text!r}."
        )
    if abi not in _FOLDERS:
        raise errors.InputError(
            "There are official builds for "
            f"{', '.join(_FOLDERS)} only. Received: abi={abi!r}. Give the path "
            "of a build for it with --benchmark_binary=PATH."
        )
    folder = _FOLDERS[abi]
    place = "latest" if version == _NIGHTLY else version
    url = f"{base_url}/{place}/{folder}/{_NAME}"
    path = (cache or _user_cache()) / version / folder / _NAME
    known = path.with_suffix(".sha256")
    if version == _NIGHTLY or not known.is_file():
        _download(url, path)
        files.write_text(known, files.sha256_of_file(path) + "\n")
    elif not path.is_file():
        _download(url, path)
    _require_same(path, known, url)
    return path


def _user_cache() -> pathlib.Path:
    root = os.environ.get("XDG_CACHE_HOME")
    folder = pathlib.Path(root) if root else pathlib.Path.home() / ".cache"
    return folder / "tflite_opt" / _NAME


def _download(url: str, path: pathlib.Path) -> None:
    _LOG.info("Downloading %s", url)
    try:
        with (
            urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer,
            files.atomic_path(path) as temporary,
            temporary.open("wb") as file,
        ):
            while chunk := answer.read(_CHUNK_BYTES):
                file.write(chunk)
            _require_whole(file.tell(), answer.headers.get("Content-Length"))
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise errors.InputError(
            f"Cannot download {url}: {reason}. Download it elsewhere and give "
            "its path with --benchmark_binary=PATH."
        ) from error


def _require_whole(size: int, announced: str | None) -> None:
    # A connection that breaks looks like the end of the file.
    if announced is not None and size != int(announced):
        raise ValueError(f"only {size} of {announced} bytes came")


def _require_same(path: pathlib.Path, known: pathlib.Path, url: str) -> None:
    first = known.read_text(encoding="utf-8").strip()
    found = files.sha256_of_file(path)
    if found != first:
        raise errors.InputError(
            f"{url} must be the file that was downloaded first. Received: "
            f"{str(path)!r} with sha256={found}, then {first}. Remove "
            f"{str(path.parent)!r} if you trust the new one."
        )
