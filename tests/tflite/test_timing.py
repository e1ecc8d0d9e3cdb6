# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.records import errors
from tflite_opt.tflite import one_operation, timing


def _file(folder, size):
    path = folder / f"{size}.tflite"
    path.write_bytes(
        one_operation.fully_connected(
            "int8", batch=1, inputs=size, outputs=size
        )
    )
    return path


def test_times_files_in_a_process_of_its_own(tmp_path):
    small, large = timing.fastest_ms([_file(tmp_path, n) for n in (8, 1024)])
    assert 0 < small < large


def test_a_file_that_cannot_be_run_is_an_error(tmp_path):
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"nothing")
    with pytest.raises(errors.BenchmarkError, match="could not be measured"):
        timing.fastest_ms([path])
