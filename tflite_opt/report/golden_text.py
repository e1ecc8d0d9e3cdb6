# SPDX-License-Identifier: Apache-2.0
"""The table of replayed golden vectors."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import golden

_HEADERS = (
    "model",
    "kernels",
    "output",
    "max |diff|",
    "tolerance of each",
    "within",
    "cosine",
    "same top-1",
    "verdict",
)
_KERNELS: dict[str, str] = {"xnnpack": "XNNPACK", "none": "builtin"}


def table(results: Sequence[golden.GoldenResult]) -> str:
    """Returns one line for each output of each replay, and what is amiss."""
    rows = [
        _cells(result, output)
        for result in results
        for output in result.outputs
    ]
    lines = [tabulate.tabulate(rows, _HEADERS, disable_numparse=True)]
    others = {result.model.name for result in results if not result.is_own}
    lines += [
        f"{name} is not the file its golden vectors were written for."
        for name in sorted(others)
    ]
    if not all(result.ok for result in results):
        lines.append(
            "FAILED: outputs are farther from the original model's than the "
            "file's own error. Look for swapped inputs, another scale of the "
            "values or another order of the channels."
        )
    return "\n".join(lines)


def _cells(
    result: golden.GoldenResult, output: golden.OutputReplay
) -> tuple[str, ...]:
    cosine, top1 = output.cosine_similarity, output.top1_agreement
    count = result.num_examples
    return (
        result.model.stem,
        _KERNELS.get(result.delegate, result.delegate),
        output.name,
        f"{output.max_absolute_difference:.3g}",
        f"{output.min_tolerance:.2g} to {output.max_tolerance:.2g}",
        f"{output.examples_within} of {count}",
        "-" if cosine is None else f"{cosine:.6f}",
        "-" if top1 is None else f"{top1:.0%}",
        "pass" if output.examples_within == count else "FAIL",
    )
