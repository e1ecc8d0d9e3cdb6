# SPDX-License-Identifier: Apache-2.0
"""LiteRT's C library, for what its Python packages do not offer.

Its binary interface is not declared stable, so that a library without one of
the functions, or of another version than this was written for, is refused. A
call with a wrong idea of a structure may crash the process: use it in a child.

References:
    https://github.com/google-ai-edge/LiteRT/tree/main/litert/c
"""

import ctypes
import importlib.metadata
import importlib.util
import pathlib
from typing import Any

from tflite_opt.records import errors

_KNOWN_VERSIONS = ("2.3.",)
_MAX_RANK = 8
_FUNCTIONS = (
    "LiteRtAddOpaqueOptions",
    "LiteRtCompiledModelGetProfiler",
    "LiteRtCompiledModelResizeInputTensorNonStrict",
    "LiteRtCreateCompiledModel",
    "LiteRtCreateEnvironment",
    "LiteRtCreateManagedTensorBufferFromRequirements",
    "LiteRtCreateModelFromFile",
    "LiteRtCreateOpaqueOptions",
    "LiteRtCreateOptions",
    "LiteRtGetCompiledModelInputBufferRequirements",
    "LiteRtGetCompiledModelInputTensorLayout",
    "LiteRtGetCompiledModelOutputBufferRequirements",
    "LiteRtGetCompiledModelOutputTensorLayouts",
    "LiteRtGetModelSignature",
    "LiteRtGetNumProfilerEvents",
    "LiteRtGetNumSignatureInputs",
    "LiteRtGetNumSignatureOutputs",
    "LiteRtGetProfilerEvents",
    "LiteRtGetRankedTensorType",
    "LiteRtGetSignatureInputTensorByIndex",
    "LiteRtGetSignatureOutputTensorByIndex",
    "LiteRtLockTensorBuffer",
    "LiteRtResetProfiler",
    "LiteRtRunCompiledModel",
    "LiteRtSetOptionsHardwareAccelerators",
    "LiteRtStartProfiler",
    "LiteRtStopProfiler",
    "LiteRtUnlockTensorBuffer",
)


class Layout(ctypes.Structure):
    """`LiteRtLayout`."""

    _fields_ = (
        ("rank", ctypes.c_uint32),
        ("dimensions", ctypes.c_int32 * _MAX_RANK),
        ("strides", ctypes.c_uint32 * _MAX_RANK),
    )


class TensorType(ctypes.Structure):
    """`LiteRtRankedTensorType`."""

    _fields_ = (("element_type", ctypes.c_int), ("layout", Layout))


class Event(ctypes.Structure):
    """`ProfiledEventData`."""

    _fields_ = (
        ("tag", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory_before", ctypes.c_size_t * 3),
        ("memory_after", ctypes.c_size_t * 3),
        ("index", ctypes.c_uint64),
        ("subgraph", ctypes.c_uint64),
        ("source", ctypes.c_int),
    )


def pointer() -> ctypes.c_void_p:
    """Returns a place for an object that the library makes."""
    return ctypes.c_void_p()


class Library:
    """The functions of the library; each raises when it fails."""

    def __init__(self) -> None:
        """Loads it.

        Raises:
            ModelError: If this library cannot be used.
        """
        version = importlib.metadata.version("ai-edge-litert")
        if not version.startswith(_KNOWN_VERSIONS):
            raise _unusable(f"it is version {version}")
        package = importlib.util.find_spec("ai_edge_litert")
        folders = package.submodule_search_locations if package else None
        path = pathlib.Path((folders or [""])[0]) / "libLiteRt.so"
        try:
            self._library = ctypes.CDLL(str(path))
        except OSError as error:
            raise _unusable(str(error)) from error
        missing = [x for x in _FUNCTIONS if not hasattr(self._library, x)]
        if missing:
            raise _unusable(f"it has no {missing[0]}")
        self._c = ctypes.CDLL(None)
        self._c.malloc.restype = ctypes.c_void_p
        self._c.malloc.argtypes = [ctypes.c_size_t]
        self._c.free.argtypes = [ctypes.c_void_p]
        # Python must keep what the library calls back.
        self._free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._c.free)

    def function(self, name: str) -> Any:
        """Returns `LiteRt<name>` itself, to be called from C."""
        return getattr(self._library, f"LiteRt{name}")

    def call(self, name: str, *arguments: Any) -> None:
        """Calls `LiteRt<name>`.

        Raises:
            ModelError: If it returns an error.
        """
        status = self.function(name)(*arguments)
        if status:
            raise errors.ModelError(
                "LiteRT's library must be able to run the model. Received: "
                f"{name} returned status {status}."
            )

    def make(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        """Calls `LiteRt<name>` and returns the object it makes."""
        made = pointer()
        self.call(name, *arguments, ctypes.byref(made))
        return made

    def count(self, name: str, owner: ctypes.c_void_p) -> int:
        """Calls `LiteRt<name>` and returns the number it gives."""
        number = ctypes.c_size_t()
        self.call(name, owner, ctypes.byref(number))
        return number.value

    def add_options(
        self, options: ctypes.c_void_p, identifier: str, toml: str
    ) -> None:
        """Adds options that travel as text, which the library frees."""
        content = toml.encode() + b"\0"
        memory = self._c.malloc(len(content))
        ctypes.memmove(memory, content, len(content))
        made = self.make(
            "CreateOpaqueOptions",
            identifier.encode(),
            ctypes.c_void_p(memory),
            self._free,
        )
        self.call("AddOpaqueOptions", options, made)


def _unusable(reason: str) -> errors.ModelError:
    known = ", ".join(f"{version}x" for version in _KNOWN_VERSIONS)
    return errors.ModelError(
        f"This needs LiteRT's C library of version {known}. "
        f"Received: {reason}. The benchmark itself does not need it."
    )
