# SPDX-License-Identifier: Apache-2.0
"""The text of a diagnosis."""

import tabulate

from tflite_opt.ladder import debugging
from tflite_opt.records import tensor_errors
from tflite_opt.report import tensor_errors_text


def describe(
    found: debugging.Diagnosis, worst: int, diverges_below_db: float
) -> str:
    """Returns what is wrong, where it begins, and what helps.

    Args:
        found: The diagnosis.
        worst: How many tensors to show; 0 for all.
        diverges_below_db: A tensor noisier than this diverges.
    """
    shown = found.given.worst_first[: worst or None]
    remedies = tuple(_remedy(found, tensor) for tensor in shown)
    lines = [
        f"Outputs: {tensor_errors_text.summary(found.given)}.",
        tensor_errors_text.first_below(found.given, diverges_below_db),
        "",
        tensor_errors_text.table(shown, remedies if found.trials else None),
        tensor_errors_text.legend(),
    ]
    if found.trials:
        lines += ["", "What each rung would do, on top of those before:"]
        lines.append(
            tabulate.tabulate(
                [_cells(trial) for trial in found.trials],
                ("rung", "outputs", "noisiest tensor", "SNR dB"),
                disable_numparse=True,
            )
        )
    return "\n".join(lines)


def _remedy(
    found: debugging.Diagnosis, tensor: tensor_errors.TensorError
) -> str:
    best = found.best_for(tensor)
    if best is None:
        return "-"
    name, gain = best
    return f"{name}: exact" if gain is None else f"{name}: {gain:+.1f} dB"


def _cells(trial: debugging.Trial) -> tuple[str, ...]:
    if trial.found is None:
        return trial.name, f"cannot be made: {trial.reason}", "", ""
    worst = trial.found.worst_first[0]
    return (
        trial.name,
        tensor_errors_text.summary(trial.found),
        worst.label,
        "exact" if worst.snr_db is None else f"{worst.snr_db:.1f}",
    )
