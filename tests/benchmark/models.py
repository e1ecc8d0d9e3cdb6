# SPDX-License-Identifier: Apache-2.0
"""Small `.tflite` files of kinds that come from anywhere."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade


def embedding(rows=7, *, dtype="int32"):
    """Returns a lookup of 5 ids in a table of `rows`."""
    builder = handmade.Builder()
    ids = builder.tensor((1, 5), dtype, name="ids")
    table = builder.tensor(
        (rows, 3), name="table", values=np.ones((rows, 3), np.float32)
    )
    y = builder.tensor((1, 5, 3), name="y")
    builder.operator(
        "GATHER", (table, ids), (y,), options=schema.GatherOptionsT()
    )
    builder.ends((ids,), (y,))
    return builder


def two_signatures():
    """Returns `double` in the main graph and `triple` in another."""
    builder = handmade.Builder()
    for index, (key, times) in enumerate((("double", 2), ("triple", 3))):
        if index:
            builder.graph()
        x = builder.tensor((1, 4), name=f"{key}_x")
        factor = builder.tensor((4,), values=np.full(4, times, np.float32))
        y = builder.tensor((1, 4), name=f"{key}_y")
        options = schema.MulOptionsT()
        builder.operator("MUL", (x, factor), (y,), options=options)
        builder.ends((x,), (y,))
        builder.signature(key, {"x": x}, {"y": y}, graph=index)
    return builder


def open_dense():
    """Returns `handmade.dense` for any number of examples."""
    builder = handmade.dense()
    graph = builder.model.subgraphs[0]
    graph.tensors[0].shapeSignature = [-1, 4]
    graph.tensors[3].shapeSignature = [-1, 3]
    return builder


def custom(name="MyOp"):
    """Returns a graph of one operation that no runtime has."""
    builder = handmade.Builder()
    x, y = builder.tensor((1, 4), name="x"), builder.tensor((1, 4), name="y")
    builder.operator(name, (x,), (y,))
    builder.ends((x,), (y,))
    return builder


def cast(source, target):
    """Returns a graph that changes a dtype."""
    builder = handmade.Builder()
    x = builder.tensor((2, 3), source, name="x")
    y = builder.tensor((2, 3), target, name="y")
    builder.operator("CAST", (x,), (y,), options=schema.CastOptionsT())
    builder.ends((x,), (y,))
    return builder


def text():
    """Returns a graph whose input is text."""
    builder = handmade.Builder()
    x = builder.tensor((1,), "string", name="words")
    y = builder.tensor((1,), "string", name="y")
    builder.operator("RESHAPE", (x,), (y,), options=schema.ReshapeOptionsT())
    builder.ends((x,), (y,))
    return builder
