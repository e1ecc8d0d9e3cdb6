# SPDX-License-Identifier: Apache-2.0
import shutil

import pytest

from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.studies import native_loop

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))),
    reason="there is no C compiler",
)


@needs_compiler
def test_a_file_is_timed_in_a_process_of_its_own(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    assert 0 < native_loop.launch(path, warmup_runs=2, num_runs=11) < 1000


@needs_compiler
def test_what_cannot_run_is_an_error(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"no model")
    with pytest.raises(errors.BenchmarkError, match="failed on 'model.tflite'"):
        native_loop.launch(path, warmup_runs=1, num_runs=1)


def test_without_a_compiler_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    path = handmade.dense().save(tmp_path / "model.tflite")
    with pytest.raises(errors.InputError, match="needs a C compiler"):
        native_loop.median_ms(path, 1, 1)
