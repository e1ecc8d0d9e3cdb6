# SPDX-License-Identifier: Apache-2.0
"""Gives a `.tflite` without a signature one.

Files of old converters have none. LiteRT Quantizer calibrates by signature,
and an app that goes by names needs them too.
"""

import pathlib

from tflite_opt.records import errors
from tflite_opt.tflite import flatbuffer

_KEY = "serving_default"


def with_signature(path: pathlib.Path) -> bytes:
    """Returns the file with the signature `serving_default`.

    Its names are those of the tensors.

    Args:
        path: A `.tflite`. One that has a signature is returned as it is.

    Raises:
        ModelError: If it is no `.tflite`, or two of its inputs or outputs
            have the same name.
    """
    model = flatbuffer.read(path)
    if model.signatures:
        return path.read_bytes()
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    content = flatbuffer_utils.read_model_from_bytearray(
        bytearray(path.read_bytes())
    )
    graph = content.subgraphs[0]
    signature = schema.SignatureDefT()
    signature.signatureKey = _KEY
    signature.subgraphIndex = 0
    for kind, indices in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        maps = []
        for index in indices:
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = graph.tensors[index].name, index
            maps.append(entry)
        names = [entry.name for entry in maps]
        if len(set(names)) != len(names) or not all(names):
            raise errors.ModelError(
                f"The {kind} of a model must have names of their own. "
                f"Received: {names} in {str(path)!r}."
            )
        setattr(signature, kind, maps)
    content.signatureDefs = [signature]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))
