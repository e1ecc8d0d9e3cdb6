# SPDX-License-Identifier: Apache-2.0
"""Gives a `.tflite` the names that quantization goes by.

LiteRT Quantizer finds operations by the names of their outputs and calibrates
by signature. Slimming drops the first; old converters write no second.
"""

import pathlib
from typing import Any

from tflite_opt.records import errors, tensor_names
from tflite_opt.tflite import flatbuffer

_KEY = "serving_default"


def named(path: pathlib.Path) -> bytes:
    """Returns the file with a name for each tensor and a signature.

    Names that slimming kept beside the file are put back; others are made up.
    A new signature is called `serving_default` and has the tensors' names.

    Args:
        path: A `.tflite`. One that has them all is returned as it is.

    Raises:
        ModelError: If it is no `.tflite`.
    """
    model = flatbuffer.read(path)
    nameless = any(not t.name for g in model.subgraphs for t in g.tensors)
    content = path.read_bytes()
    if model.signatures and not nameless:
        return content
    from ai_edge_litert.tools import flatbuffer_utils

    written = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    _name_tensors(written, tensor_names.names_for(path))
    if not model.signatures:
        _add_signature(written, path)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(written))


def _name_tensors(model: Any, kept: tensor_names.Names) -> None:
    for position, graph in enumerate(model.subgraphs):
        for index, tensor in enumerate(graph.tensors):
            if not tensor.name:
                made_up = f"graph_{position}/tensor_{index}"
                tensor.name = kept.get((position, index), made_up)


def _add_signature(model: Any, path: pathlib.Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    graph = model.subgraphs[0]
    signature = schema.SignatureDefT()
    signature.signatureKey = _KEY
    signature.subgraphIndex = 0
    for kind, indices in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        entries = []
        for index in indices:
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = graph.tensors[index].name, index
            entries.append(entry)
        names = [entry.name for entry in entries]
        if len(set(names)) != len(names):
            raise errors.ModelError(
                f"The {kind} of a model must have names of their own. "
                f"Received: {names} in {str(path)!r}."
            )
        setattr(signature, kind, entries)
    model.signatureDefs = [signature]
