# SPDX-License-Identifier: Apache-2.0
"""Where the time of an inference goes on a device, operation by operation.

The tool's own profiler; its launches are slower than those that are measured,
and none of them counts. What a delegate runs inside itself is seen only if it
tells: XNNPACK does, others are one line.
"""

import re
from collections.abc import Sequence

from android_bench import device as device_lib
from android_bench import shell_tool, workspace
from android_bench import tool as tool_lib
from tflite_opt.benchmark import tool_output, tool_protos
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, delegation, errors, op_profile
from tflite_opt.records import tool_output as tool_record
from tflite_opt.tflite import flatbuffer

_PROTO = ("op_profiling_output_mode", "op_profiling_output_file")
_INSIDE = "delegate"
_DELEGATED = re.compile(r"^Delegate/|^\[Delegate\]")
_DELEGATE_NODE = re.compile(r"Delegate\w*$|^DELEGATE$")
_INDEX = re.compile(r":(\d+)$")


class Profiler:
    """Profiles files on a device.

    Args:
        device: The device.
        used: The tool, open.
        space: The workspace, entered.
    """

    def __init__(
        self,
        device: device_lib.Device,
        used: tool_lib.Tool,
        space: workspace.Workspace,
    ) -> None:
        self._device = device
        self._tool = used
        self._output = f"{space.scratch}/profile.pb"

    def profile(
        self,
        artifact: artifact_record.Artifact,
        model: str,
        options: benchmark.RuntimeOptions,
    ) -> op_profile.ProfiledModel:
        """Profiles one file with the delegate of the options.

        Args:
            artifact: The file.
            model: Where it is on the device.
            options: Of the launch.

        Raises:
            BenchmarkError: If the tool offers no profile, or fails.
        """
        log = self._tool.run(
            artifact.name,
            self._tool.arguments(model, options, self._flags()),
            cpu_mask=options.cpu_mask,
            timeout_s=options.timeout_s,
        )
        output = tool_output.parse(log.stdout, log.stderr)
        operations = output.operations
        if self._tool.knows(*_PROTO):
            content = shell_tool.read_file(self._device, self._output)
            operations = tool_protos.parse_profile(content)
        inference = output.inference
        if inference is None or inference.avg_ms is None:
            raise errors.BenchmarkError(
                f"No op profile of {artifact.name!r}: the tool printed no "
                "latency beside it."
            )
        # LiteRT's tool counts the calls of all inferences together.
        is_sum = output.tool == "litert_benchmark_model"
        num_runs = inference.count or 1
        ops = _ops(operations, num_runs if is_sum else 1)
        if not ops:
            raise errors.BenchmarkError(
                f"No op profile of {artifact.name!r}: the tool printed none."
            )
        main = flatbuffer.read(artifact.path).subgraphs[0]
        return op_profile.ProfiledModel(
            artifact=artifact,
            num_threads=options.num_threads,
            profiles=(
                op_profile.OpProfile(
                    kernels=_kernels(options.delegate),
                    num_runs=num_runs,
                    inference_us=inference.avg_ms * 1e3,
                    ops=ops,
                ),
            ),
            operators=tuple(operator.name for operator in main.operators),
            delegation=delegation.Delegation(
                delegate=options.delegate,
                partitions=output.partitions,
                left_out=_left_out(ops, len(main.operators)),
            ),
        )

    def _flags(self) -> dict[str, str]:
        if self._tool.knows("enable_op_profiling", *_PROTO):
            return {
                "enable_op_profiling": "true",
                "op_profiling_output_mode": "proto",
                "op_profiling_output_file": self._output,
            }
        if self._tool.knows("use_profiler"):
            return {"use_profiler": "true"}
        if self._tool.knows("enable_op_profiling"):
            return {"enable_op_profiling": "true"}
        raise errors.BenchmarkError(
            "An op profile needs TFLite's or LiteRT's benchmark_model. "
            f"Received: {self._tool.identity!r}."
        )


def _kernels(delegate: benchmark.ToolDelegate) -> op_profile.Kernels:
    return "builtin" if delegate == "none" else delegate


def _ops(
    operations: Sequence[tool_record.OperationTime], num_inferences: int
) -> tuple[op_profile.ProfiledOp, ...]:
    rows = [x for x in operations if x.phase == "run"]
    if any(map(_is_inside, rows)):
        # The delegate's node is the sum of what is inside.
        rows = [x for x in rows if not _is_node(x)]
    times = [x.avg_ms * 1e3 * x.times_called / num_inferences for x in rows]
    total = sum(times) or 1.0
    graphs = list(dict.fromkeys(x.graph for x in rows if x.graph != _INSIDE))
    return tuple(
        op_profile.ProfiledOp(
            name=row.node_type,
            index=_index(row, position),
            subgraph=0 if row.graph == _INSIDE else graphs.index(row.graph),
            is_delegated=_is_inside(row) or _is_node(row),
            mean_us=time,
            share=time / total,
        )
        for position, (row, time) in enumerate(zip(rows, times, strict=True))
    )


def _left_out(
    ops: Sequence[op_profile.ProfiledOp], num_operators: int
) -> tuple[int, ...]:
    """Returns the indices of the file's operations outside the delegate."""
    found = {x.index for x in ops if not x.is_delegated and not x.subgraph}
    # Nodes that a delegate adds come after those of the file.
    return tuple(sorted(x for x in found if x < num_operators))


def _is_inside(row: tool_record.OperationTime) -> bool:
    return row.graph == _INSIDE or bool(_DELEGATED.match(row.name))


def _is_node(row: tool_record.OperationTime) -> bool:
    return not _is_inside(row) and bool(_DELEGATE_NODE.search(row.node_type))


def _index(row: tool_record.OperationTime, position: int) -> int:
    found = _INDEX.search(row.name)
    return int(found[1]) if found else position
