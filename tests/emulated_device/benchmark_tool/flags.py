# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201
"""The flags of both tools, parsed as the tools do."""

import sys
from collections.abc import Sequence
from typing import NoReturn

# Name: kind, default, what the log calls it ("" where it is not logged).
_RUN_LOOP = {
    "num_runs": ("int32", "50", "Min num runs"),
    "min_secs": ("float", "1", "Min runs duration (seconds)"),
    "max_secs": ("float", "150", "Max runs duration (seconds)"),
    "run_delay": ("float", "-1", "Inter-run delay (seconds)"),
    "num_threads": ("int32", "-1", "Num threads"),
    "benchmark_name": ("string", "", "Benchmark name"),
    "output_prefix": ("string", "", "Output prefix"),
    "warmup_runs": ("int32", "1", "Min warmup runs"),
    "warmup_min_secs": ("float", "0.5", "Min warmup runs duration (seconds)"),
    "verbose": ("bool", "false", ""),
    "report_peak_memory_footprint": (
        "bool",
        "false",
        "Report the peak memory footprint",
    ),
    "memory_footprint_check_interval_ms": (
        "int32",
        "50",
        "Memory footprint check interval (ms)",
    ),
    "graph": ("string", "", "Graph"),
    "signature_to_run_for": ("string", "", "Signature to run"),
    "input_layer_value_range": ("string", "", "Input value ranges"),
    "require_full_delegation": ("bool", "false", "Require full delegation"),
    "result_file_path": ("string", "", "Result file path"),
    "xnnpack_weight_cache_file_path": ("string", "", ""),
    "help": ("bool", "false", ""),
}
_CLASSIC = {
    "input_layer": ("string", "", "Input layers"),
    "input_layer_shape": ("string", "", "Input shapes"),
    "input_layer_value_files": ("string", "", "Input value files"),
    "allow_fp16": ("bool", "false", "Allow fp16"),
    "enable_op_profiling": ("bool", "false", "Enable op profiling"),
    "op_profiling_output_mode": (
        "string",
        "stdout",
        "Op profiling output mode",
    ),
    "op_profiling_output_file": ("string", "", "Op profiling output file"),
    "max_profiling_buffer_entries": (
        "int32",
        "1024",
        "Max initial profiling buffer entries",
    ),
    "output_filepath": ("string", "", "File path to export outputs layer to"),
    "disable_delegate_clustering": ("bool", "false", ""),
    "use_xnnpack": ("bool", "false", "Use xnnpack"),
    "use_gpu": ("bool", "false", "Use gpu"),
    "gpu_precision_loss_allowed": (
        "bool",
        "true",
        "Allow lower precision in gpu",
    ),
    "use_nnapi": ("bool", "false", "Use NNAPI"),
    "nnapi_accelerator_name": ("string", "", "NNAPI accelerator name"),
    "external_delegate_path": ("string", "", "External delegate path"),
    "external_delegate_options": ("string", "", "External delegate options"),
}
_LITERT = {
    "use_cpu": ("bool", "true", "Use CPU"),
    "use_gpu": ("bool", "false", "Use GPU"),
    "use_npu": ("bool", "false", "Use NPU"),
    "use_profiler": ("bool", "false", "Use profiler"),
    "gpu-precision": ("string", "auto", "GPU precision"),
    "gpu_backend": ("string", "", "GPU backend"),
    "dispatch_library_path": ("string", "", "Dispatch library path"),
    "compiler_plugin_library_path": (
        "string",
        "",
        "Compiler plugin library path",
    ),
}
_TABLES = {
    "benchmark_model": _RUN_LOOP | _CLASSIC,
    "litert_benchmark_model": _RUN_LOOP | _LITERT,
}
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


class Flags:
    """The values of one launch.

    Args:
        tool: Whose flags.
        arguments: Of the program.
        ignored: Flags that this build does not know.
    """

    def __init__(
        self, tool: str, arguments: Sequence[str], ignored: Sequence[str] = ()
    ) -> None:
        self._table = _TABLES[tool]
        self._texts: dict[str, str] = {}
        self.unconsumed: list[str] = []
        for argument in arguments:
            name, is_form, value = argument.removeprefix("--").partition("=")
            known = name in self._table and name not in ignored
            if argument == "--help":
                self._texts["help"] = "true"
            # Any other form is left over: `--use_gpu`, `--graph model`.
            elif argument.startswith("--") and is_form and known:
                self._check(name, value, argument)
                self._texts[name] = value
            else:
                self.unconsumed.append(argument)

    def _check(self, name: str, value: str, argument: str) -> None:
        kind = self._table[name][0]
        try:
            {"int32": int, "float": float, "string": str}.get(
                kind, _BOOLS.__getitem__
            )(value)
        except (ValueError, KeyError):
            fail(f"Failed to parse flag '{name}' against argv '{argument}'")

    def text(self, name: str) -> str:
        """Returns a value as it was given; its default if it was not."""
        if name not in self._table:
            return ""
        return self._texts.get(name, self._table[name][1])

    def number(self, name: str) -> float:
        """Returns a value of a number."""
        return float(self.text(name))

    def is_true(self, name: str) -> bool:
        """Returns a truth value; False for a flag of the other tool."""
        return _BOOLS.get(self.text(name), False)

    def is_given(self, name: str) -> bool:
        """Returns whether a flag was given."""
        return name in self._texts

    def echo(self) -> list[str]:
        """Returns the lines that tell the values back."""
        lines = [
            f"Log parameter values verbosely: [{int(self.is_true('verbose'))}]"
        ]
        for name, (kind, _, label) in self._table.items():
            if label and (self.is_given(name) or self.is_true("verbose")):
                value = self.text(name)
                if kind == "bool":
                    value = str(int(_BOOLS[value]))
                elif kind == "float":
                    value = f"{float(value):g}"
                lines.append(f"{label}: [{value}]")
        return lines

    def usage(self) -> str:
        """Returns the text of `--help`."""
        lines = [f"usage: {sys.argv[0]} <flags>", "Flags:"]
        for name, (kind, default, label) in self._table.items():
            value = f"{default!r}".replace("'", "") if default else ""
            lines.append(f"\t--{name}={value}\t{kind}\toptional\t{label}")
        return "\n".join(lines)


def fail(message: str) -> NoReturn:
    """Ends the tool as its errors do."""
    print(f"ERROR: {message}", file=sys.stderr)
    print("ERROR: Benchmarking failed.", file=sys.stderr)
    sys.stdout.flush()
    sys.exit(1)
