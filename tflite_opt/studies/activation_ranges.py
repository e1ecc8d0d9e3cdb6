# SPDX-License-Identifier: Apache-2.0
"""What clipping activations does to int8: one cell for each reference model.

A model is trained on its own data set and quantized once for each way to
choose the ranges of its activations. Shown is how far the results are from the
float model on test examples.
"""

import pathlib
import tempfile
import typing
from collections.abc import Iterator, Mapping, Sequence

from tflite_opt.post_training import divergence
from tflite_opt.records import conversion, measurement
from tflite_opt.studies import study, trained_reference
from tflite_opt.techniques import full_integer

TITLE = "Ranges of activations: the true ones against clipped ones"
ALGORITHMS: tuple[conversion.ActivationRanges, ...] = typing.get_args(
    conversion.ActivationRanges
)
# All tensors of a part of them are in memory.
_NUM_TEST = 1000


def cells(
    models: Sequence[str], setup: trained_reference.OwnData
) -> dict[str, study.Cell]:
    """Returns a cell for each of some reference models."""

    def cell(name: str) -> study.Cell:
        return lambda: measure(name, setup)

    return {name: cell(name) for name in models}


def measure(name: str, setup: trained_reference.OwnData) -> dict[str, float]:
    """Trains one model, quantizes it in all ways and judges them."""
    trained = setup.train(name, "measure_ranges")
    test = trained.first_inputs(_NUM_TEST)
    expected = divergence.outputs(trained.context.float_model, test)
    values: dict[str, float] = {"num_test": len(next(iter(test.values())))}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "int8.tflite"
        for algorithm in ALGORITHMS:
            technique = full_integer.FullInteger(
                activation_algorithm=algorithm, backend="litert_quantizer"
            )
            path.write_bytes(technique.convert(trained.context).content)
            found, _ = divergence.compare(
                expected, divergence.outputs(path, test)
            )
            values[f"{algorithm}.divergence"] = found.divergence
            if found.agreement is not None:
                values[f"{algorithm}.agreement"] = found.agreement
    return values


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Yields a table of divergences, then one of agreements."""
    yield (
        "int8 against float32 on test examples, for each way to choose the "
        "ranges of activations: the divergence of Kullback and Leibler, or a "
        "relative error where there are no classes; then the share of equal "
        "predictions."
    )
    for figure, form in (("divergence", ".1e"), ("agreement", ".2%")):
        yield ""
        yield f"| model, {figure} | {' | '.join(ALGORITHMS)} |"
        yield f"|---|{'---:|' * len(ALGORITHMS)}"
        for name, record in found.items():
            cells = ["missing"] + [""] * (len(ALGORITHMS) - 1)
            if record:
                names = [f"{x}.{figure}" for x in ALGORITHMS]
                cells = [
                    format(record.values[x], form)
                    if x in record.values
                    else "-"
                    for x in names
                ]
            yield f"| {name} | {' | '.join(cells)} |"
