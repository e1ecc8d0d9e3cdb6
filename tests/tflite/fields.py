# SPDX-License-Identifier: Apache-2.0
"""All fields of a `.tflite`, read with the schema's own code.

What slimming may change is brought to one form: buffers by their content, and
what it may drop left out.
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

_DROPPED_METADATA = b"CONVERSION_METADATA"


def of(content: bytes) -> dict[str, Any]:
    """Returns nested dictionaries and lists with the values of all fields."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    contents = [_content(buffer, content) for buffer in model.buffers]
    fields = _plain(model)
    del fields["buffers"]
    for entry in fields["metadata"] or ():
        entry["buffer"] = contents[entry["buffer"]]
    fields["metadata"] = [
        entry
        for entry in fields["metadata"] or ()
        if entry["name"] != _DROPPED_METADATA
    ]
    public = _public(model)
    for index, graph in enumerate(fields["subgraphs"]):
        for position, tensor in enumerate(graph["tensors"] or ()):
            tensor["buffer"] = contents[tensor["buffer"]]
            if (index, position) not in public and not tensor["isVariable"]:
                del tensor["name"]
            _normalize(tensor["quantization"])
        for operator in graph["operators"] or ():
            for name in ("mutatingVariableInputs", "intermediates"):
                operator[name] = operator[name] or None
            start = operator["largeCustomOptionsOffset"]
            size = operator["largeCustomOptionsSize"]
            if start > 1:
                large = content[start : start + size]
                operator["largeCustomOptionsOffset"] = large
    return fields


def _content(buffer: Any, content: bytes) -> bytes | None:
    if buffer.offset > 1:
        return content[buffer.offset : buffer.offset + buffer.size]
    return None if buffer.data is None else bytes(buffer.data)


def _public(model: Any) -> set[tuple[int, int]]:
    called = {0: model.subgraphs[0]}
    for signature in model.signatureDefs or ():
        index = signature.subgraphIndex
        called[index] = model.subgraphs[index]
    return {
        (index, int(position))
        for index, graph in called.items()
        for position in (*graph.inputs, *graph.outputs)
    }


def _normalize(quantization: dict[str, Any] | None) -> None:
    if quantization is None:
        return
    for name in ("min", "max"):
        if quantization["scale"] or not quantization[name]:
            del quantization[name]
    if not quantization["scale"] and not quantization["zeroPoint"]:
        del quantization["scale"], quantization["zeroPoint"]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "__dict__"):
        return {name: _plain(item) for name, item in vars(value).items()}
    return value
