# SPDX-License-Identifier: Apache-2.0
"""A `.tflite` as LiteRT's C library runs it, called from Python.

Use it where a crash of the runtime is survived.
"""

import ctypes
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.records import op_profile
from tflite_opt.tflite import litert_library

_CPU = 1
_WRITE = 1
# Unknown keys are ignored, and the flags replace the defaults, of which these
# two let XNNPACK take int8 and uint8.
_OPTIONS = {
    "xnnpack": "num_threads = {}\nflags = 3\n",
    "builtin": 'num_threads = {}\nkernel_mode = "builtin"\n',
}


class CompiledModel:
    """A file that LiteRT's C library runs, with buffers for its tensors.

    Attributes:
        handle: The library's object.
    """

    def __init__(
        self,
        library: litert_library.Library,
        path: pathlib.Path,
        *,
        kernels: op_profile.Kernels = "xnnpack",
        num_threads: int = 1,
        signature: int = 0,
        enable_profiling: bool = False,
    ) -> None:
        """Compiles the file.

        Args:
            library: The library.
            path: A `.tflite`.
            kernels: `xnnpack` or `builtin`.
            num_threads: At least 1.
            signature: Index of the signature; 0 also for the graph of a file
                without.
            enable_profiling: Whether it can be profiled.

        Raises:
            ModelError: If the library cannot run the file.
        """
        self._library = library
        self._index = ctypes.c_size_t(signature)
        self._environment = library.make("CreateEnvironment", 0, None)
        model = library.make(
            "CreateModelFromFile", self._environment, str(path).encode()
        )
        options = library.make("CreateOptions")
        library.call("SetOptionsHardwareAccelerators", options, _CPU)
        library.add_options(
            options, "xnnpack", _OPTIONS[kernels].format(num_threads)
        )
        if enable_profiling:
            library.add_options(
                options, "runtime_options_string", "enable_profiling = true\n"
            )
        self.handle = library.make(
            "CreateCompiledModel", self._environment, model, options
        )
        self._signature = library.make("GetModelSignature", model, self._index)
        self._inputs: list[ctypes.c_void_p] = []
        self._outputs: list[ctypes.c_void_p] = []

    def set_inputs(self, inputs: Sequence[np.ndarray]) -> None:
        """Sets shapes and values of the inputs, and makes room for outputs."""
        library = self._library
        for i, values in enumerate(inputs):
            sizes = (ctypes.c_int * values.ndim)(*values.shape)
            kind = self._type("Input", i)
            layout = self._input_layout(i)
            if tuple(layout.dimensions[: layout.rank]) != values.shape:
                library.call(
                    "CompiledModelResizeInputTensorNonStrict",
                    self.handle,
                    self._index,
                    ctypes.c_size_t(i),
                    sizes,
                    ctypes.c_size_t(values.ndim),
                )
            kind.layout = self._input_layout(i)
            self._inputs.append(self._buffer("Input", i, kind))
            self._write(self._inputs[-1], values)
        count = library.count("GetNumSignatureOutputs", self._signature)
        layouts = (litert_library.Layout * count)()
        library.call(
            "GetCompiledModelOutputTensorLayouts",
            self.handle,
            self._index,
            ctypes.c_size_t(count),
            layouts,
            ctypes.c_bool(True),
        )
        for i in range(count):
            kind = self._type("Output", i)
            kind.layout = layouts[i]
            self._outputs.append(self._buffer("Output", i, kind))

    def _type(self, side: str, i: int) -> litert_library.TensorType:
        tensor = self._library.make(
            f"GetSignature{side}TensorByIndex",
            self._signature,
            ctypes.c_size_t(i),
        )
        kind = litert_library.TensorType()
        self._library.call("GetRankedTensorType", tensor, ctypes.byref(kind))
        return kind

    def _input_layout(self, i: int) -> litert_library.Layout:
        layout = litert_library.Layout()
        self._library.call(
            "GetCompiledModelInputTensorLayout",
            self.handle,
            self._index,
            ctypes.c_size_t(i),
            ctypes.byref(layout),
        )
        return layout

    def _buffer(
        self, side: str, i: int, kind: litert_library.TensorType
    ) -> ctypes.c_void_p:
        needs = self._library.make(
            f"GetCompiledModel{side}BufferRequirements",
            self.handle,
            self._index,
            ctypes.c_size_t(i),
        )
        return self._library.make(
            "CreateManagedTensorBufferFromRequirements",
            self._environment,
            ctypes.byref(kind),
            needs,
        )

    def _write(self, buffer: ctypes.c_void_p, values: np.ndarray) -> None:
        address = litert_library.pointer()
        self._library.call(
            "LockTensorBuffer", buffer, ctypes.byref(address), _WRITE
        )
        content = values.tobytes()
        if address.value:
            ctypes.memmove(address, content, len(content))
        self._library.call("UnlockTensorBuffer", buffer)

    def run_arguments(self) -> tuple[Any, ...]:
        """Returns what `LiteRtRunCompiledModel` is called with."""
        counts = len(self._inputs), len(self._outputs)
        return (
            self.handle,
            self._index,
            ctypes.c_size_t(counts[0]),
            (ctypes.c_void_p * counts[0])(*self._inputs),
            ctypes.c_size_t(counts[1]),
            (ctypes.c_void_p * counts[1])(*self._outputs),
        )

    def run(self) -> None:
        """Runs it once."""
        self._library.call("RunCompiledModel", *self.run_arguments())
