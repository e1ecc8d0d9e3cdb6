# SPDX-License-Identifier: Apache-2.0
"""A program called `benchmark_model` on this machine: which one, and its flags.

Two C++ tools share the name; the wheel of ai-edge-litert brings a third one,
`litert-benchmark`. They are told apart by the flags in their help.
"""

import dataclasses
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from tflite_opt import child_process
from tflite_opt.benchmark import local_machine
from tflite_opt.records import benchmark, errors, files, tool_output

_HELP_TIMEOUT_S = 60.0
_PRINT_VERSION = (
    "import importlib.metadata as m; print(m.version('ai-edge-litert'))"
)
_FLAG = re.compile(r"--([A-Za-z][\w-]*)")
# Flags that no other of the tools has. LiteRT's comes first: it inherits the
# run loop of TFLite's.
_MARKERS: dict[tool_output.Tool, frozenset[str]] = {
    "litert_benchmark": frozenset({"result_json"}),
    "litert_benchmark_model": frozenset({"use_npu", "use_profiler"}),
    "benchmark_model": frozenset({"use_xnnpack", "enable_op_profiling"}),
}
_SHARED = ("num_threads", "num_runs")
_RUN_LOOP = (*_SHARED, "warmup_min_secs", "min_secs", "max_secs")
# What is only given if it was asked for, by the name that the tool has for it.
_OPTIONAL_IN_RUN_LOOP = {
    "run_delay": "run_delay",
    "signature": "signature_to_run_for",
}
_OPTIONAL: dict[tool_output.Tool, dict[str, str]] = {
    "benchmark_model": _OPTIONAL_IN_RUN_LOOP,
    "litert_benchmark_model": _OPTIONAL_IN_RUN_LOOP,
    "litert_benchmark": {"signature": "signature"},
}
# Of no concern to the tool, or given in a form of its own.
_OURS = frozenset(
    {
        "check",
        "delegate",
        "launches",
        "seed",
        "timeout_s",
        "tool_flags",
        "warmup_runs",
    }
)
# Left out of TFLite's tool, XNNPACK is applied without a word about it.
_BUILTIN = {"use_xnnpack": "false"}
_DELEGATES: dict[
    tool_output.Tool, dict[benchmark.ToolDelegate, dict[str, str]]
] = {
    "benchmark_model": {
        "xnnpack": {"use_xnnpack": "true"},
        "none": _BUILTIN,
        "gpu": {**_BUILTIN, "use_gpu": "true"},
        "nnapi": {**_BUILTIN, "use_nnapi": "true"},
        "external": _BUILTIN,
    },
    "litert_benchmark_model": {
        "xnnpack": {},
        "gpu": {"use_gpu": "true"},
        "npu": {"use_npu": "true"},
    },
    "litert_benchmark": {"xnnpack": {}},
}
# Without it, the tool measures nothing but the builtin kernels.
_EXTERNAL_PATH = "external_delegate_path"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Binary:
    """One of the tools.

    Attributes:
        path: The program.
        sha256: Of the program.
        tool: Which one it is.
        flags: What its help lists.
        version: Of the ai-edge-litert that a Python program runs on; "" where
            it is not known. The C++ tools have none to tell.
    """

    path: pathlib.Path
    sha256: str
    tool: tool_output.Tool
    flags: frozenset[str]
    version: str = ""

    @property
    def identity(self) -> str:
        """The tool and its build."""
        return " ".join(
            filter(None, (self.tool, self.version, self.sha256[:12]))
        )

    def command(
        self,
        model: pathlib.Path,
        options: benchmark.RuntimeOptions,
        result_path: pathlib.Path,
    ) -> list[str]:
        """Returns a command that measures a model once, on this machine.

        Args:
            model: The `.tflite`.
            options: How to run it.
            result_path: Where the result file shall be; only asked for if the
                program knows how to write one.

        Raises:
            InputError: If the tool cannot do what the options ask for, this
                version lacks a flag, or a CPU is not there to run on.
        """
        local_machine.check_mask(options)
        prefix = ["taskset", options.cpu_mask] if options.cpu_mask else []
        arguments = self.arguments(
            str(model),
            dataclasses.replace(options, cpu_mask=""),
            str(result_path),
        )
        return [*prefix, str(self.path.absolute()), *arguments]

    def arguments(
        self,
        model: str,
        options: benchmark.RuntimeOptions,
        result_path: str,
        further: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Returns the flags of such a command.

        Args:
            model: Path of the `.tflite` where the tool runs.
            options: How to run it.
            result_path: As for `command`.
            further: Flags that the tool must know, too.

        Raises:
            InputError: If the tool cannot do what the options ask for, or this
                version lacks a flag.
        """
        self._reject_unsupported(options)
        graph = "model" if self.tool == "litert_benchmark" else "graph"
        values: dict[str, Any] = {graph: model}
        values |= {name: getattr(options, name) for name in self._passed}
        # The tools count the first inference as one of the warm-up.
        values["warmup_runs"] = options.warmup_runs + 1
        values |= {
            name: getattr(options, field)
            for field, name in _OPTIONAL[self.tool].items()
            if getattr(options, field)
        }
        values |= _DELEGATES[self.tool][options.delegate]
        if options.require_full_delegation:
            values["require_full_delegation"] = "true"
            if self.tool == "litert_benchmark_model":
                # It aborts when both are asked for.
                values["use_cpu"] = "false"
        values |= options.tool_flags
        values |= further or {}
        missing = sorted(set(values) - self.flags)
        if missing:
            raise errors.InputError(
                "The program must know the flags of a benchmark. Received: "
                f"{str(self.path)!r}, without --{', --'.join(missing)}. Take "
                "a newer version."
            )
        if "result_file_path" in self.flags:
            values["result_file_path"] = result_path
        # Only this form is parsed; others are ignored without an error.
        return [f"--{name}={value}" for name, value in values.items()]

    @property
    def _passed(self) -> tuple[str, ...]:
        return _SHARED if self.tool == "litert_benchmark" else _RUN_LOOP

    def _reject_unsupported(self, options: benchmark.RuntimeOptions) -> None:
        handled = _OURS | set(self._passed) | set(_OPTIONAL[self.tool])
        if options.delegate not in _DELEGATES[self.tool]:
            handled -= {"delegate"}
        if self.tool != "litert_benchmark" and (
            self.tool == "benchmark_model" or options.delegate != "xnnpack"
        ):
            handled |= {"require_full_delegation"}
        defaults = benchmark.RuntimeOptions()
        for field in dataclasses.fields(options):
            value = getattr(options, field.name)
            if field.name in handled or value == getattr(defaults, field.name):
                continue
            raise errors.InputError(
                f"`{field.name}` cannot be given to {self.tool}. Received: "
                f"{field.name}={value}. Leave it out, or take "
                "--runner=desktop."
            )
        is_external = options.delegate == "external"
        if is_external != (_EXTERNAL_PATH in options.tool_flags):
            raise errors.InputError(
                "delegate=external must come with the path of its library, "
                f"and only then. Received: delegate={options.delegate}, "
                f"tool_flags={options.tool_flags}. Add "
                f"--tool_flags={_EXTERNAL_PATH}=PATH."
            )


def recognize(
    text: str,
) -> tuple[tool_output.Tool, frozenset[str]] | None:
    """Returns which tool a help is of, and the flags it lists.

    Args:
        text: Both streams of `--help`.

    Returns:
        None if it is none of the tools.
    """
    flags = frozenset(_FLAG.findall(text))
    for tool, markers in _MARKERS.items():
        if markers & flags:
            return tool, flags
    return None


def identify(path: pathlib.Path) -> Binary:
    """Finds out which of the tools a program is.

    Raises:
        InputError: If it is missing, cannot be run here, or is none of them.
    """
    if not path.is_file():
        raise errors.InputError(
            "`benchmark_binary` must be a program. "
            f"Received: benchmark_binary={str(path)!r}, which is not there."
        )
    try:
        # TFLite's tool fails after printing its help.
        done = child_process.run(
            [str(path.absolute()), "--help"], timeout_s=_HELP_TIMEOUT_S
        )
    except (OSError, child_process.ChildError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise errors.InputError(
            "`benchmark_binary` must be a program for this machine. Received: "
            f"benchmark_binary={str(path)!r}: {reason}. It may need "
            "`chmod +x`, or a build for this processor."
        ) from error
    found = recognize(done.stdout + done.stderr)
    if found is None:
        raise errors.InputError(
            "`benchmark_binary` must be TFLite's or LiteRT's benchmark_model, "
            f"or litert-benchmark. Received: benchmark_binary={str(path)!r}, "
            "whose --help lists none of their flags."
        )
    tool, flags = found
    return Binary(
        path=path,
        sha256=files.sha256_of_file(path),
        tool=tool,
        flags=flags,
        version=_wheel_version(path) if tool == "litert_benchmark" else "",
    )


def _wheel_version(path: pathlib.Path) -> str:
    # The program is the same few lines in all versions of the wheel; the
    # Python of its environment lies beside it.
    python = path.absolute().with_name("python")
    if not python.is_file():
        return ""
    done = child_process.run(
        [str(python), "-c", _PRINT_VERSION], timeout_s=_HELP_TIMEOUT_S
    )
    return done.stdout.strip() if done.returncode == 0 else ""
