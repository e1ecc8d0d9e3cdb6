# SPDX-License-Identifier: Apache-2.0
import math

from tests.tflite import handmade
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


def test_a_file_that_cannot_be_run_has_no_time(tmp_path):
    builder = handmade.Builder()
    x, y = builder.tensor((1, 4)), builder.tensor((1, 4))
    builder.operator("Mine", (x,), (y,))
    builder.ends((x,), (y,))
    broken = builder.save(tmp_path / "broken.tflite")
    found = timing.fastest_ms([broken, _file(tmp_path, 8)])
    assert math.isnan(found[0])
    assert found[1] > 0
