# SPDX-License-Identifier: Apache-2.0
import http.server
import pathlib
import threading

import pytest

from android_bench import binaries
from tflite_opt.records import errors, files

_ABI = "arm64-v8a"
_PLACE = "2.2.0/android_arm64/benchmark_model"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        site = self.server.site
        site["asked"].append(self.path)
        content = site.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        size = len(content) + site.get("announced_too_much", 0)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def site():
    """Serves what a test puts into it by path."""
    content = {"asked": []}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.site = content
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    content["url"] = f"http://127.0.0.1:{server.server_port}"
    yield content
    server.shutdown()
    thread.join()
    server.server_close()


def _resolve(site, cache, text="litert:2.2.0", abi=_ABI):
    return binaries.resolve(text, abi, base_url=site["url"], cache=cache)


def test_a_path_is_taken_as_it_is():
    assert binaries.resolve("a/b", "x86") == pathlib.Path("a/b")


def test_a_version_is_downloaded_once_and_its_hash_kept(site, tmp_path):
    site[f"/{_PLACE}"] = b"\x7fELF tool"
    path = _resolve(site, tmp_path)
    assert path.read_bytes() == b"\x7fELF tool"
    assert path == tmp_path / _PLACE
    known = path.with_suffix(".sha256").read_text().strip()
    assert known == files.sha256_of_file(path)
    assert _resolve(site, tmp_path) == path
    assert site["asked"] == [f"/{_PLACE}"]


def test_versions_do_not_share_a_place(site, tmp_path):
    site[f"/{_PLACE}"] = b"one"
    site["/2.1.0/android_arm64/benchmark_model"] = b"two"
    assert _resolve(site, tmp_path).read_bytes() == b"one"
    other = _resolve(site, tmp_path, "litert:2.1.0")
    assert other.read_bytes() == b"two"


def test_a_nightly_build_is_downloaded_each_time(site, tmp_path):
    place = "/latest/android_arm64/benchmark_model"
    site[place] = b"monday"
    assert _resolve(site, tmp_path, "litert:nightly").read_bytes() == b"monday"
    site[place] = b"tuesday"
    assert _resolve(site, tmp_path, "litert:nightly").read_bytes() == b"tuesday"


def test_a_file_that_is_gone_must_come_back_the_same(site, tmp_path):
    site[f"/{_PLACE}"] = b"one"
    path = _resolve(site, tmp_path)
    path.unlink()
    assert _resolve(site, tmp_path).read_bytes() == b"one"
    path.unlink()
    site[f"/{_PLACE}"] = b"another one"
    with pytest.raises(errors.InputError, match="downloaded first"):
        _resolve(site, tmp_path)


def test_a_cached_file_that_was_changed_is_refused(site, tmp_path):
    site[f"/{_PLACE}"] = b"one"
    _resolve(site, tmp_path).write_bytes(b"stale")
    with pytest.raises(errors.InputError, match="Remove .*2.2.0"):
        _resolve(site, tmp_path)


def test_no_internet_is_one_line_with_the_url(tmp_path):
    with pytest.raises(errors.InputError) as caught:
        binaries.resolve(
            "litert:2.2.0",
            _ABI,
            base_url="http://127.0.0.1:1/binaries",
            cache=tmp_path,
        )
    assert str(caught.value) == (
        "Cannot download http://127.0.0.1:1/binaries/"
        f"{_PLACE}: [Errno 111] Connection refused. Download it elsewhere and "
        "give its path with --benchmark_binary=PATH."
    )
    assert not list(tmp_path.rglob("benchmark_model*"))


def test_a_build_that_does_not_exist_is_one_line(site, tmp_path):
    with pytest.raises(errors.InputError, match="Cannot download .*Not Found"):
        _resolve(site, tmp_path, "litert:9.9.9")


def test_a_download_that_breaks_leaves_nothing(site, tmp_path):
    site[f"/{_PLACE}"] = b"half"
    site["announced_too_much"] = 4
    with pytest.raises(errors.InputError, match="only 4 of 8 bytes came"):
        _resolve(site, tmp_path)
    assert not list(tmp_path.rglob("benchmark_model*"))


@pytest.mark.parametrize(
    ("text", "abi", "message"),
    [
        ("litert:latest", _ABI, "litert:VERSION.*benchmark_binary='litert:la"),
        ("litert:2.2", _ABI, "litert:VERSION"),
        ("litert:2.2.0", "armeabi-v7a", "arm64-v8a only. .*abi='armeabi-v7a'"),
    ],
)
def test_rejects_builds_that_cannot_be(text, abi, message, tmp_path):
    with pytest.raises(errors.InputError, match=message):
        binaries.resolve(text, abi, cache=tmp_path)
