# SPDX-License-Identifier: Apache-2.0
"""The model of one launch: loaded, fed, run and read."""

import pathlib
import time
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert

from tests.emulated_device.benchmark_tool import flags as flags_module
from tests.emulated_device.benchmark_tool import outputs, surroundings

_DELEGATES = {"use_gpu": "GPU", "use_nnapi": "NNAPI", "use_npu": "NPU"}


class Model:
    """A model in LiteRT's interpreter.

    Args:
        flags: Of the launch.
        out: Where the tool prints.
    """

    def __init__(self, flags: flags_module.Flags, out: outputs.Output) -> None:
        self._flags = flags
        self._out = out
        self._pace = surroundings.Pace()
        self.path = pathlib.Path(flags.text("graph"))
        self._interpreter = self._load()
        self.size_mb = self.path.stat().st_size / 1e6
        out.info(f"Loaded model {self.path}")
        self._report_delegates()
        self._feed()

    def _load(self) -> Any:
        kinds = litert.OpResolverType
        plain = self._flags.is_given("use_xnnpack") and not self._flags.is_true(
            "use_xnnpack"
        )
        try:
            found = litert.Interpreter(
                model_path=str(self.path),
                num_threads=max(int(self._flags.number("num_threads")), 1),
                experimental_op_resolver_type=(
                    kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
                    if plain
                    else kinds.AUTO
                ),
            )
            self._resize(found)
            found.allocate_tensors()
        except (ValueError, RuntimeError):
            flags_module.fail(f"Failed to load model {self.path}")
        return found

    def _resize(self, interpreter: Any) -> None:
        shapes = _split(self._flags.text("input_layer_shape"), ":")
        names = _split(self._flags.text("input_layer"), ",")
        if len(names) != len(shapes):
            flags_module.fail(
                f"The number of items in --input_layer_shape ({len(shapes)}) "
                "should match the number of items in --input_layer "
                f"({len(names)})."
            )
        found = interpreter.get_input_details()
        if names and len(names) != len(found):
            flags_module.fail(f"Inputs mismatch: Model inputs #:{len(found)}")
        # By order: names that differ are only warned of.
        for name, shape, spec in zip(names, shapes, found, strict=False):
            if name != spec["name"]:
                self._out.info(
                    f"Tensor # {spec['index']} is named {spec['name']} but "
                    f"flags call it {name}",
                    level="WARN",
                )
            interpreter.resize_tensor_input(
                spec["index"], [int(size) for size in shape.split(",")]
            )

    def _report_delegates(self) -> None:
        kernels, nodes = self._count_delegated()
        if self._flags.is_true("use_xnnpack"):
            self._out.info("XNNPACK delegate created.")
            self._explicit("XNNPACK", kernels, nodes)
        path = self._flags.text("external_delegate_path")
        if path and not pathlib.Path(path).is_file():
            flags_module.fail(f"Could not load external delegate {path}")
        if path:
            self._explicit("EXTERNAL", 1, 1)
        for flag, name in _DELEGATES.items():
            if self._flags.is_true(flag):
                # This phone's GPU takes everything, its NNAPI nothing.
                is_taken = name == "GPU"
                self._explicit(name, int(is_taken), 1)
                kernels, nodes = (1, 1) if is_taken else (0, 1)
        full = (kernels, nodes) == (1, 1)
        if self._flags.is_true("require_full_delegation") and not full:
            flags_module.fail("Disallowed CPU fallback detected.")

    def _explicit(self, name: str, kernels: int, nodes: int) -> None:
        if self._out.tool != "benchmark_model":
            return
        if kernels == 0:
            self._out.info(
                f"Though {name} delegate is explicitly applied, the model "
                "graph will not be executed by the delegate."
            )
            return
        how = "completely" if nodes == 1 else "partially"
        count = "" if nodes == 1 else f" w/ {kernels} delegate kernels"
        self._out.info(
            f"Explicitly applied {name} delegate, and the model graph will be "
            f"{how} executed by the delegate{count}."
        )

    def _count_delegated(self) -> tuple[int, int]:
        """Returns delegate kernels and nodes of the execution plan."""
        producers: dict[int, Any] = {}
        # Kernels come after the nodes they replaced, with the same outputs.
        for node in self._interpreter._get_ops_details():
            producers |= dict.fromkeys(node["outputs"], node)
        wanted = [x["index"] for x in self._interpreter.get_output_details()]
        plan = {}
        while wanted:
            node = producers.get(wanted.pop())
            if node is not None and node["index"] not in plan:
                plan[node["index"]] = node["op_name"]
                wanted += list(node["inputs"])
        return list(plan.values()).count("DELEGATE"), len(plan)

    def _feed(self) -> None:
        files = self._value_files()
        random = np.random.default_rng()
        for spec in self._interpreter.get_input_details():
            shape, dtype = spec["shape"], spec["dtype"]
            if spec["index"] in files:
                content = files[spec["index"]].read_bytes()
                expected = int(np.prod(shape)) * np.dtype(dtype).itemsize
                if len(content) != expected:
                    flags_module.fail(
                        f"The size of {files[spec['index']]} is "
                        f"{len(content)} bytes, but the input tensor takes "
                        f"{expected}."
                    )
                value = np.frombuffer(content, dtype).reshape(shape)
            elif np.issubdtype(dtype, np.floating):
                value = random.uniform(-0.5, 0.5, shape).astype(dtype)
            else:
                value = random.integers(0, 100, shape).astype(dtype)
            self._interpreter.set_tensor(spec["index"], value)

    def _value_files(self) -> dict[int, pathlib.Path]:
        names = _split(self._flags.text("input_layer"), ",")
        specs = self._interpreter.get_input_details()
        found = {}
        for item in _split(self._flags.text("input_layer_value_files"), ","):
            # A colon of the name itself is doubled.
            name, _, path = item.replace("::", "\0").partition(":")
            name = name.replace("\0", ":")
            if name not in names:
                flags_module.fail(
                    f"Cannot find the corresponding input_layer name({name}) "
                    "in --input_layer as "
                    f"{self._flags.text('input_layer')}"
                )
            place = pathlib.Path(path.replace("\0", ":"))
            if not place.is_file():
                flags_module.fail(f"Failed to open file {place}")
            found[specs[names.index(name)]["index"]] = place
        return found

    @property
    def input_bytes(self) -> int:
        """Of all inputs."""
        return sum(
            int(np.prod(spec["shape"])) * np.dtype(spec["dtype"]).itemsize
            for spec in self._interpreter.get_input_details()
        )

    def input_values(self) -> list[Any]:
        """Returns copies of the inputs."""
        return [
            self._interpreter.get_tensor(spec["index"])
            for spec in self._interpreter.get_input_details()
        ]

    def run(self) -> int:
        """Runs once and returns the microseconds it took, at least one."""
        before = time.perf_counter_ns()
        self._interpreter.invoke()
        taken = self._pace.slow_down(time.perf_counter_ns() - before)
        return max(taken // 1000, 1)

    def output_bytes(self) -> bytes:
        """Returns all outputs, one after the other."""
        found = [
            self._interpreter.get_tensor(spec["index"])
            for spec in self._interpreter.get_output_details()
        ]
        if self._flags.is_true("use_gpu"):
            # Its arithmetic has half precision.
            found = [
                x.astype(np.float16).astype(x.dtype)
                if np.issubdtype(x.dtype, np.floating)
                else x
                for x in found
            ]
        return b"".join(np.ascontiguousarray(x).tobytes() for x in found)


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if text else []
