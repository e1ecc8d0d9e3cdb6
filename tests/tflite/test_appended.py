# SPDX-License-Identifier: Apache-2.0
import io
import zipfile

import numpy as np
import pytest

from tests.tflite import fields, handmade, slimmable
from tflite_opt.tflite import flatbuffer, slimming


def _save(builder, tmp_path):
    return builder.save(tmp_path / "model.tflite")


@pytest.mark.parametrize("positions_of_file", [True, False])
def test_keeps_associated_files(tmp_path, positions_of_file):
    builder = handmade.dense()
    builder.metadata("TFLITE_METADATA", b"M001 any content")
    builder.metadata("min_runtime_version", b"1.5.0\0")
    builder.metadata("CONVERSION_METADATA", b"x" * 100)
    path = tmp_path / "model.tflite"
    content = slimmable.with_files(
        builder.content(), positions_of_file=positions_of_file
    )
    path.write_bytes(content)
    slimmed = slimmable.slim_content(path)
    with zipfile.ZipFile(io.BytesIO(slimmed)) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.txt") == slimmable.LABELS
    # Readers on phones take what lies before the zip from its positions.
    ends = [_zip_base(content), _zip_base(slimmed)]
    assert (ends[0] == 0) == (ends[1] == 0)
    assert slimmed.index(b"PK\3\4") % 16 == content.index(b"PK\3\4") % 16
    target = tmp_path / "target.tflite"
    target.write_bytes(slimmed)
    model = flatbuffer.read(target)
    found = {name: model.buffer_bytes(i) for name, i in model.metadata}
    assert found == {
        "TFLITE_METADATA": b"M001 any content",
        "min_runtime_version": b"1.5.0\0",
    }
    written = slimming.slim_file(path, target)
    assert written.check.compared == ("XNNPACK", "builtin")
    again = slimming.slim(target)
    assert again.unchanged_because == "it would not become smaller"


def _zip_base(content):
    end = content.rindex(b"PK\5\6")
    size, offset = np.frombuffer(content[end + 12 : end + 20], "<u4").tolist()
    return end - size - offset


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (b"some compiled code", "18 bytes of unknown purpose"),
        (b"PK\5\6" + b"\1" * 18, "zip of associated files is damaged"),
    ],
    ids=["unknown", "damaged-zip"],
)
def test_leaves_files_with_unknown_content_alone(tmp_path, tail, reason):
    path = _save(handmade.dense(), tmp_path)
    content = path.read_bytes() + tail
    path.write_bytes(content)
    slimmed = slimming.slim(path)
    assert reason in slimmed.unchanged_because
    assert slimmed.content == content
    assert slimmed.dropped_names == {}


def test_drops_padding_behind_the_flatbuffer(tmp_path):
    path = _save(handmade.dense(), tmp_path)
    expected = slimmable.slim_content(path)
    path.write_bytes(path.read_bytes() + bytes(100))
    assert slimmable.slim_content(path) == expected


def test_moves_large_custom_options(tmp_path):
    placeholder = 0x0123456789ABCDEF
    builder = handmade.dense()
    builder.operator("Mine", (3,), (3,))
    operator = builder.model.subgraphs[0].operators[1]
    operator.largeCustomOptionsOffset = placeholder
    operator.largeCustomOptionsSize = 300
    content = builder.content()
    start = -(-len(content) // 16) * 16
    large = np.random.default_rng(0).bytes(300)
    content = content.replace(
        np.array(placeholder, "<u8").tobytes(), np.array(start, "<u8").tobytes()
    )
    path = tmp_path / "model.tflite"
    path.write_bytes(content + bytes(start - len(content)) + large)
    slimmed = slimmable.slim_content(path)
    assert slimmed.endswith(large)
    assert fields.of(slimmed) == fields.of(path.read_bytes())
