# SPDX-License-Identifier: Apache-2.0
"""Node data for Model Explorer: open a `.tflite` there, then load these.

Nodes go by their position in the main graph, which is Model Explorer's id of
an operation of a `.tflite`; slimmed files have no tensor names to go by.

References:
    https://github.com/google-ai-edge/model-explorer
"""

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflite_opt.records import files
from tflite_opt.report.rows import Evidence

# From what costs or errs least to what does most.
_GRADIENT = [
    {"stop": 0, "bgColor": "#ffffff", "textColor": "#000000"},
    {"stop": 1, "bgColor": "#d9484d", "textColor": "#000000"},
]


def write(
    loaded: Sequence[Evidence], folder: pathlib.Path
) -> list[pathlib.Path]:
    """Writes a file for each quantity of each variant that is known.

    Args:
        loaded: The variants.
        folder: Gets `<variant>.<quantity>.json`. What a variant's tensors
            lose is for the graph of float32, whose operations they are.

    Returns:
        The files.
    """
    paths = []
    for item in loaded:
        for quantity, name, values in _quantities(item):
            path = folder / f"{item.name}.{quantity}.json"
            files.write_json(path, _node_data(f"{item.name}: {name}", values))
            paths.append(path)
    return paths


def _quantities(
    item: Evidence,
) -> Iterator[tuple[str, str, dict[int, float]]]:
    """Returns a file's suffix, a name for people, and values by position."""
    main = [x for x in item.variant.facts.operators if not x.subgraph]
    known = {x.index: float(x.macs) for x in main if x.macs is not None}
    if known:
        yield "macs", "multiply-accumulates", known
    for model in item.profiles:
        for profile in model.profiles:
            # Operators of a delegate are not those of the file.
            if profile.kernels == "builtin":
                times = {x.index: x.mean_us for x in profile.ops}
                yield (
                    f"builtin_us.threads_{model.num_threads}",
                    "us on the builtin kernels",
                    times,
                )
    if item.errors is not None:
        noise = {
            x.position: -x.snr_db
            for x in item.errors.tensors
            if x.position >= 0 and x.snr_db is not None
        }
        if noise:
            yield (
                "noise_db.for_float32",
                "noise against float, dB (-signal to noise)",
                noise,
            )


def _node_data(name: str, values: Mapping[int, float]) -> dict[str, Any]:
    return {
        "name": name,
        "results": {str(key): {"value": x} for key, x in values.items()},
        "gradient": _GRADIENT,
    }
