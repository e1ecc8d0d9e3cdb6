# SPDX-License-Identifier: Apache-2.0
"""Where the time of an inference goes, operation by operation."""

import dataclasses
from typing import Literal

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import delegation as delegation_record
from tflite_opt.records import serialization

Kernels = Literal["xnnpack", "builtin", "gpu", "nnapi", "npu", "external"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProfiledOp(serialization.Record):
    """One operation of one run.

    Attributes:
        name: XNNPACK's name of it, or TFLite's.
        index: Inside the delegate, or in the execution order of the file.
        subgraph: Index of its graph; 0 for one of XNNPACK's.
        is_delegated: Whether XNNPACK, or the device's delegate, runs it.
        mean_us: Per inference; the clock has steps of 1 us, so that it is
            made of many runs.
        share: Of the time of all operations, in [0, 1].
    """

    name: str
    index: int
    subgraph: int
    is_delegated: bool
    mean_us: float
    share: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpProfile(serialization.Record):
    """The profile of one file with one kind of kernels.

    Attributes:
        kernels: `xnnpack` as the file is used: by XNNPACK operator, and by
            TFLite operation outside of it. `builtin`: by TFLite operation on
            the builtin kernels, which are slower. Others are delegates of a
            device, by what they tell.
        num_runs: Profiled inferences.
        inference_us: Mean of a whole inference while profiled, which is some
            percent slower.
        ops: In the order they run.
    """

    kernels: Kernels
    num_runs: int
    inference_us: float
    ops: tuple[ProfiledOp, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProfiledModel(serialization.Record):
    """All that an op profile says about one file.

    Attributes:
        artifact: The file.
        num_threads: Threads of the runs.
        profiles: By kind of kernels.
        operators: TFLite's names of the main graph's operations, in order.
        delegation: Which of them XNNPACK takes.
    """

    artifact: artifact_record.Artifact
    num_threads: int
    profiles: tuple[OpProfile, ...]
    operators: tuple[str, ...]
    delegation: delegation_record.Delegation
