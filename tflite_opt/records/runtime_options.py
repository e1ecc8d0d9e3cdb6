# SPDX-License-Identifier: Apache-2.0
"""How a model is run when it is measured."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Literal

from tflite_opt.records import errors, serialization

# What the interpreter of this machine has, and what the tools can be told.
Delegate = Literal["xnnpack", "none"]
ToolDelegate = Literal["xnnpack", "none", "gpu", "nnapi", "npu", "external"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputFile(serialization.Record):
    """A user's own inputs.

    Attributes:
        path: An `.npz` of arrays by input name, shape `(n, ...)`; an inference
            takes the first examples.
        sha256: Of the file.
    """

    path: pathlib.Path
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuntimeOptions(serialization.Record):
    """How to run a model, in the words of TFLite's `benchmark_model`.

    Attributes:
        num_threads: Threads of each interpreter, at least 1.
        delegate: `xnnpack`, or `none` for the builtin kernels. A tool may
            have others; what they leave out runs on the builtin kernels in
            TFLite's tool, on XNNPACK in LiteRT's.
        warmup_runs: Least number of inferences before timing starts, the
            first one not counted.
        warmup_min_secs: Least duration of the warm-up in seconds.
        warmup_max_secs: Cap on a warm-up that does not get steady.
        num_runs: Least number of timed inferences in one launch.
        min_secs: Least duration of the timed inferences in seconds.
        max_secs: Cap on the timed inferences of one launch in seconds.
        launches: Number of separate processes; the unit of replication.
        timeout_s: A launch that takes longer, beside what it is asked to
            last, is killed and is an error.
        seed: Of the inputs and of the order of launches.
        run_delay: Pause before each inference in seconds.
        cpu_mask: The CPUs to run on, in hexadecimal as for `taskset`; "" for
            all.
        signature: Which one to run; "" for the main graph.
        input_shapes: Instead of the file's own, by name of the input.
        dynamic_dimension: Size of all other dimensions left open.
        inputs: The user's; None for seeded ones.
        concurrency: Interpreters that run at the same time in each launch.
        soak_s: If positive, how long a launch lasts to show drift; replaces
            `num_runs`, `min_secs` and `max_secs`.
        check: Whether outputs are checked, too.
        require_full_delegation: Whether a launch fails unless the delegate
            runs the whole model; only tools know it.
        tool_flags: Further flags of a tool, by name.
    """

    num_threads: int = 1
    delegate: ToolDelegate = "xnnpack"
    warmup_runs: int = 10
    warmup_min_secs: float = 0.1
    warmup_max_secs: float = 2.0
    num_runs: int = 50
    min_secs: float = 0.5
    max_secs: float = 10.0
    launches: int = 10
    timeout_s: float = 120.0
    seed: int = 0
    run_delay: float = 0.0
    cpu_mask: str = ""
    signature: str = ""
    input_shapes: dict[str, tuple[int, ...]] = dataclasses.field(
        default_factory=dict
    )
    dynamic_dimension: int | None = None
    inputs: InputFile | None = None
    concurrency: int = 1
    soak_s: float = 0.0
    check: bool = True
    require_full_delegation: bool = False
    tool_flags: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a value is out of its range.
        """
        super().__post_init__()
        for names, rule, is_met in _BOUNDS:
            for name in names:
                if not is_met(getattr(self, name)):
                    raise errors.InputError(
                        f"`{name}` must {rule}. "
                        f"Received: {name}={getattr(self, name)}"
                    )
        if self.soak_s and self.concurrency > 1:
            raise errors.InputError(
                "`soak_s` must be measured with one interpreter. Received: "
                f"soak_s={self.soak_s}, concurrency={self.concurrency}"
            )
        if self.cpu_mask and not self.cpus():
            raise errors.InputError(
                "`cpu_mask` must be a positive hexadecimal number, as for "
                f"`taskset`. Received: cpu_mask={self.cpu_mask!r}"
            )

    def cpus(self) -> tuple[int, ...]:
        """Returns the numbers of the CPUs in the mask, if it is one."""
        try:
            mask = int(self.cpu_mask, 16)
        except ValueError:
            return ()
        return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)


_BOUNDS: tuple[tuple[tuple[str, ...], str, Callable[[float], bool]], ...] = (
    (
        ("num_threads", "num_runs", "launches", "concurrency"),
        "be at least 1",
        lambda value: value >= 1,
    ),
    (
        (
            "warmup_runs",
            "warmup_min_secs",
            "min_secs",
            "run_delay",
            "soak_s",
        ),
        "not be negative",
        lambda value: value >= 0,
    ),
    (
        ("warmup_max_secs", "max_secs", "timeout_s"),
        "be positive",
        lambda value: value > 0,
    ),
)


# Enough for a first impression within 5 seconds: fields of `RuntimeOptions`.
QUICK: dict[str, int | float] = {
    "warmup_runs": 3,
    "warmup_min_secs": 0.05,
    "warmup_max_secs": 0.2,
    "num_runs": 20,
    "min_secs": 0.2,
    "max_secs": 0.4,
    "launches": 3,
}
