# SPDX-License-Identifier: Apache-2.0
"""The text about errors of tensors."""

import tabulate

from tflite_opt.records import tensor_errors


def summary(found: tensor_errors.TensorErrors) -> str:
    """Returns one phrase about the outputs."""
    parts = [
        f"{'relative error' if found.agreement is None else 'KL'} "
        f"{found.divergence:.2e}"
    ]
    if found.agreement is not None:
        parts.append(f"agreement {found.agreement:.1%}")
    if found.tied_fraction:
        parts.append(f"{found.tied_fraction:.1%} of the predictions tied")
    return f"{', '.join(parts)} on {found.num_examples} examples"


def first_below(found: tensor_errors.TensorErrors, snr_db: float) -> str:
    """Returns a sentence about where a model begins to diverge."""
    tensor = found.first_below(snr_db)
    if tensor is None:
        return f"No tensor is below {snr_db:g} dB."
    own = tensor.own_snr_db
    blame = (
        ""
        if own is None
        else ", by itself"
        if own < snr_db
        else f", though by itself it has {own:.1f} dB"
    )
    return (
        f"The first below {snr_db:g} dB is {tensor.label} "
        f"({tensor.operation}, operation {tensor.position}) with "
        f"{tensor.snr_db:.1f} dB{blame}."
    )


def table(
    tensors: tuple[tensor_errors.TensorError, ...],
    remedies: tuple[str, ...] | None = None,
) -> str:
    """Returns a line for each tensor.

    Args:
        tensors: In the order to show.
        remedies: What helps each one; None leaves the column out.
    """
    headers = [
        "tensor",
        "operation",
        "dtype",
        "SNR dB",
        "own",
        "cosine",
        "clipped",
        "unused",
        "shift",
        *(["what helps"] if remedies is not None else []),
    ]
    rows = [_cells(tensor) for tensor in tensors]
    if remedies is not None:
        rows = [
            (*cells, remedy)
            for cells, remedy in zip(rows, remedies, strict=True)
        ]
    return tabulate.tabulate(rows, headers, disable_numparse=True)


def legend() -> str:
    """Returns what the columns mean."""
    return (
        "SNR: signal-to-noise ratio; own: if its inputs were the float "
        "model's; clipped: values beyond the levels; unused: levels beyond the "
        "values; shift: part of the noise that is a shift of means."
    )


def _cells(tensor: tensor_errors.TensorError) -> tuple[str, ...]:
    return (
        tensor.label,
        tensor.operation,
        tensor.dtype,
        "exact" if tensor.snr_db is None else f"{tensor.snr_db:.1f}",
        "-" if tensor.own_snr_db is None else f"{tensor.own_snr_db:.1f}",
        "-" if tensor.cosine is None else f"{tensor.cosine:.5f}",
        _percent(tensor.clipped_fraction),
        _percent(tensor.unused_range_fraction),
        _percent(tensor.shift_fraction),
    )


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{fraction:.1%}"
