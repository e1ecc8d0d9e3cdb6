# SPDX-License-Identifier: Apache-2.0
"""Any content gives facts or one error, in bounded time."""

import random

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import facts

_EXTREMES = (b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0" * 4)


def _damaged(content, generator):
    damaged = bytearray(content)
    position = generator.randrange(8, len(content) - 4)
    kind = generator.randrange(5)
    if kind == 0:
        del damaged[position:]
    elif kind == 1:
        aligned = position & ~3
        damaged[aligned : aligned + 4] = generator.choice(_EXTREMES)
    elif kind == 2:
        for _ in range(8):
            at = generator.randrange(8, len(content))
            damaged[at] = generator.randrange(256)
    elif kind == 3:
        del damaged[position : position + generator.randrange(1, 64)]
    else:
        # Makes one part refer to another one.
        other = generator.randrange(8, len(content) - 4) & ~3
        aligned = position & ~3
        damaged[aligned : aligned + 4] = content[other : other + 4]
    return bytes(damaged)


def _sparse():
    """Returns a file with a sparse, an int4 and a quantized weight."""
    builder = handmade.Builder()
    x, y = builder.tensor((1, 4)), builder.tensor((1, 3))
    sparse = builder.tensor((3, 4), values=np.ones(5, "float32"))
    parameters = schema.SparsityParametersT()
    parameters.traversalOrder, parameters.blockMap = [0, 1], []
    rows, columns = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    rows.denseSize = 3
    columns.format = schema.DimensionType.SPARSE_CSR
    segments, indices = schema.Int32VectorT(), schema.Int32VectorT()
    segments.values, indices.values = [0, 2, 3, 5], [0, 2, 1, 0, 3]
    kind = schema.SparseIndexVector.Int32Vector
    columns.arraySegmentsType = columns.arrayIndicesType = kind
    columns.arraySegments, columns.arrayIndices = segments, indices
    parameters.dimMetadata = [rows, columns]
    builder.model.subgraphs[0].tensors[sparse].sparsity = parameters
    packed = builder.tensor((3, 4), "int4", values=np.arange(6, dtype="u1"))
    scaled = builder.tensor(
        (3, 4), "int8", values=np.arange(12, dtype="i1"), scale=[0.1] * 3
    )
    for weight in (sparse, packed, scaled):
        builder.operator("FULLY_CONNECTED", (x, weight), (y,))
    builder.ends((x,), (y,))
    builder.signature("classify", {"x": x}, {"y": y})
    builder.metadata("owner", b"somebody")
    return builder.content()


def _check(contents, count, tmp_path, seed=0):
    generator = random.Random(seed)
    path = tmp_path / "damaged.tflite"
    messages = []
    survived = 0
    for _ in range(count):
        path.write_bytes(_damaged(generator.choice(contents), generator))
        try:
            found = facts.read_facts(path, delegation=False, values=True)
        except errors.ModelError as error:
            messages.append(str(error))
            continue
        found.to_json()
        found.totals()
        assert sum(found.bytes_by_role.values()) == found.size_bytes
        survived += 1
    assert min(survived, len(messages)) > count / 10
    assert not [message for message in messages if "\n" in message]


def test_handmade_files(tmp_path):
    _check([_sparse()], 400, tmp_path)


@pytest.mark.tensorflow
def test_converted_files(converted, tmp_path):
    contents = [path.read_bytes() for path in converted.glob("*.tflite")]
    _check(contents, 400, tmp_path)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_ten_thousand_files(converted, tmp_path):
    contents = [path.read_bytes() for path in converted.glob("*.tflite")]
    _check([*contents, _sparse()], 10_000, tmp_path, seed=1)
