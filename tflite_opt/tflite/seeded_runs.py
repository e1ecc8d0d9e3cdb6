# SPDX-License-Identifier: Apache-2.0
"""Runs all entry points of a `.tflite` on values made for their dtypes.

For files whose data are not known. Runs in this process: call it where a
crash of the runtime is survived.
"""

import pathlib
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from ai_edge_litert import interpreter as litert

from tflite_opt.records import errors
from tflite_opt.tflite import flatbuffer, native_messages

_NUM_RUNS = 3
_SEED = 0
_RESOLVERS = {
    "xnnpack": litert.OpResolverType.AUTO,
    "none": litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}
# Values that also serve as indices and sizes.
_LARGEST_INTEGER = 2
_WORDS = (b"", b"seven", b"one two three")


class Digest(Protocol):
    """A hash of `hashlib`."""

    def update(self, data: bytes, /) -> None:
        """Takes more bytes in."""


def update_digest(digest: Digest, path: pathlib.Path, delegate: str) -> None:
    """Adds the raw outputs of several inferences to a hash.

    State is kept from one inference to the next.

    Args:
        digest: Gets dtypes, shapes and bytes.
        path: A `.tflite` that can be prepared.
        delegate: `xnnpack`, or `none` for the builtin kernels.

    Raises:
        ModelError: If the runtime cannot run it.
    """
    random = np.random.default_rng(_SEED)
    try:
        with native_messages.filtered():
            model = litert.Interpreter(
                str(path),
                num_threads=1,
                experimental_op_resolver_type=_RESOLVERS[delegate],
            )
            model.allocate_tensors()
        for _ in range(_NUM_RUNS):
            for details in model.get_input_details():
                model.set_tensor(details["index"], _values(details, random))
            model.invoke()
            for details in model.get_output_details():
                _update(digest, model.get_tensor(details["index"]))
        for signature in flatbuffer.read(path).signatures:
            if signature.subgraph:
                runner = model.get_signature_runner(signature.key)
                for _ in range(_NUM_RUNS):
                    values = {
                        name: _values(details, random)
                        for name, details in runner.get_input_details().items()
                    }
                    for _, output in sorted(runner(**values).items()):
                        _update(digest, output)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise errors.ModelError(
            "The runtime must be able to run the model. Received: "
            f"path={str(path)!r}: {native_messages.one_line(error)}."
        ) from error


def _values(
    details: Mapping[str, Any], random: np.random.Generator
) -> np.ndarray:
    shape, dtype = details["shape"], np.dtype(details["dtype"])
    if dtype.kind == "f":
        return random.normal(0.0, 1.0, shape).astype(dtype)
    if dtype.kind == "c":
        return (random.normal(0.0, 1.0, (*shape, 2)) @ [1, 1j]).astype(dtype)
    if dtype.kind == "b":
        return random.random(shape) < 0.5
    if dtype.kind not in "iu":
        return random.choice(np.array(_WORDS, object), shape)
    if len(details["quantization_parameters"]["scales"]):
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max + 1, shape, dtype)
    return random.integers(0, _LARGEST_INTEGER + 1, shape).astype(dtype)


def _update(digest: Digest, array: np.ndarray) -> None:
    text = array.dtype.kind in "OS"
    content = repr(array.tolist()).encode() if text else array.tobytes()
    digest.update(f"{array.dtype.str}{array.shape}".encode() + content)
