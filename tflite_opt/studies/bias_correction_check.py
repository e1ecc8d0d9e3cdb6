# SPDX-License-Identifier: Apache-2.0
"""Whether bias correction ever hurts: every reference model, one cell each.

A model is trained on its own data set and quantized to int8; the correction
is fitted to half of the calibration examples. Shown is what it does to the
agreement with the float model on test examples, whether or not the technique
itself would have kept it.
"""

import pathlib
import tempfile
import time
from collections.abc import Iterator, Mapping

from scipy import stats

from tflite_opt.keras_models import reference
from tflite_opt.post_training import acceptance, reconstruction
from tflite_opt.records import errors, measurement
from tflite_opt.studies import study, trained_reference
from tflite_opt.techniques import full_integer

TITLE = "Bias correction on every reference model"
# All tensors of a part of them are in memory.
_NUM_TEST = 1000
_SIGNIFICANCE = 0.05


def cells(setup: trained_reference.OwnData) -> dict[str, study.Cell]:
    """Returns a cell for each reference model."""

    def cell(name: str) -> study.Cell:
        return lambda: measure(name, setup)

    return {name: cell(name) for name in reference.names()}


def measure(name: str, setup: trained_reference.OwnData) -> dict[str, float]:
    """Trains, quantizes, corrects and judges one model."""
    trained = setup.train(name, "measure_bias_correction")
    parent = trained.context.float_model
    samples = trained.context.representative
    fitting, held_out = acceptance.split(samples)
    with tempfile.TemporaryDirectory() as folder:
        plain, corrected = (
            pathlib.Path(folder) / f"{x}.tflite" for x in ("int8", "corrected")
        )
        converted = full_integer.FullInteger().convert(trained.context)
        plain.write_bytes(converted.content)
        started = time.perf_counter()
        try:
            done = reconstruction.reconstruct(parent, plain, corrected, fitting)
        except errors.ModelError:
            # With loops or state.
            return {"refused": 1.0}
        seconds = time.perf_counter() - started
        test = trained.first_inputs(_NUM_TEST)
        tested = acceptance.judge(parent, plain, corrected, test)
        gate = acceptance.judge(parent, plain, corrected, held_out)
    return {
        "layers": done.num_layers,
        "seconds": seconds,
        "kept": float(gate.is_better),
        **_figures(tested),
    }


def _figures(judged: acceptance.Judgement) -> dict[str, float]:
    values: dict[str, float] = {
        "divergence": judged.before.divergence,
        "corrected_divergence": judged.after.divergence,
        "num_test": judged.num_examples,
    }
    if judged.before.agreement is None or judged.after.agreement is None:
        return values
    changed = judged.lost + judged.gained
    chance = (
        stats.binomtest(judged.lost, changed, alternative="greater").pvalue
        if changed
        else 1.0
    )
    return values | {
        "agreement": judged.before.agreement,
        "corrected_agreement": judged.after.agreement,
        "lost": judged.lost,
        "gained": judged.gained,
        "chance_of_such_a_loss": float(chance),
    }


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Yields the table, and what it comes to."""
    yield (
        "| model | divergence: int8 | corrected | same top-1: int8 "
        "| corrected | lost | gained | chance of such a loss | kept "
        "| seconds |"
    )
    yield f"|---|{'---:|' * 9}"
    for name, record in found.items():
        if record is None:
            yield f"| {name} | missing | | | | | | | | |"
            continue
        x = record.values
        if "refused" in x:
            yield f"| {name} | refused: loops or state | | | | | | | | |"
            continue
        agreement = (
            f"{x['agreement']:.2%} | {x['corrected_agreement']:.2%} "
            f"| {x['lost']:.0f} | {x['gained']:.0f} "
            f"| {x['chance_of_such_a_loss']:.2f}"
            if "agreement" in x
            else "- | - | - | - | -"
        )
        yield (
            f"| {name} | {x['divergence']:.2e} "
            f"| {x['corrected_divergence']:.2e} | {agreement} "
            f"| {'yes' if x['kept'] else 'no'} | {x['seconds']:.1f} |"
        )
    worse = {
        name: record.values["kept"]
        for name, record in found.items()
        if record
        and record.values.get("chance_of_such_a_loss", 1) < _SIGNIFICANCE
    }
    kept = [name for name, is_kept in worse.items() if is_kept]
    yield ""
    yield (
        "Agreement is worse by more than chance does once in twenty models "
        f"(sign test) for: {', '.join(worse) or 'none'}; and where the "
        f"technique would have kept the correction: {', '.join(kept) or 'none'}"
        ". It decides by other examples, half of the calibration data. "
        "Divergence is that of Kullback and Leibler, or a relative error where "
        "there are no classes."
    )
