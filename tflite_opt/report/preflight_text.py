# SPDX-License-Identifier: Apache-2.0
"""The text of a preflight: a line for each layer, reasons and sums below."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import preflight
from tflite_opt.report import facts_text

_WORDS = {"applies": "yes", "left_out": "no", "blocked": "BLOCKED"}
_ARITHMETIC = {"float": "float", "hybrid": "hybrid", "integer": "int8"}
_LAYER_HEADERS = ("layer", "class", "output", "parameters")
_OPERATION_HEADERS = ("recipe", "operation", "count", "computes in", "XNNPACK")
_MAX_NAMES = 5
_LEGEND = (
    "yes: the technique changes the layer; no: it leaves it as it is; BLOCKED: "
    "it refuses the\nmodel because of it; -: nothing to change, or no "
    "operation of its own. fused: into the\noperation of a layer above. "
    "hybrid: int8 weights, float activations. *: XNNPACK leaves it\nto the "
    "builtin kernels. ?: the file does not tell. Quantized files were "
    "calibrated on\nrandom samples: their structure holds, their accuracy "
    "means nothing."
)


class _Notes:
    """Numbers each different reason once, in the order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Returns the number of a reason."""
        return self._numbers.setdefault(text, len(self._numbers) + 1)

    def lines(self) -> list[str]:
        """Returns the reasons with their numbers."""
        return [f"[{n}] {text}" for text, n in self._numbers.items()]


def describe(found: preflight.Preflight) -> str:
    """Returns everything a preflight found, in several paragraphs."""
    notes = _Notes()
    paragraphs = [facts_text.printable(found.model)]
    if found.keras.unknown_because:
        paragraphs.append(f"no layers: {found.keras.unknown_because}")
    if found.keras.layers:
        paragraphs += [_layers(found, notes), "\n".join(notes.lines())]
    paragraphs += [
        _operations(found),
        "\n".join(sums(found)),
        _LEGEND,
    ]
    return "\n\n".join(filter(None, paragraphs))


def sums(found: preflight.Preflight) -> list[str]:
    """Returns a line for each technique, recipe and failure."""
    keras = [f"{x}: {_sum(found.keras, x)}" for x in found.keras.techniques]
    return [*keras, *_files(found), *_failures(found)]


def _sum(keras: preflight.KerasSupport, technique: str) -> str:
    count = len(keras.layers)
    if technique in keras.rejections:
        return f"blocked: {keras.rejections[technique]}"
    blocked = keras.with_status(technique, "blocked")
    if not blocked:
        applied = len(keras.with_status(technique, "applies"))
        return f"changes {applied} of {count} layers"
    names = [facts_text.printable(x.path) for x in blocked[:_MAX_NAMES]]
    if len(blocked) > _MAX_NAMES:
        names.append(f"{len(blocked) - _MAX_NAMES} more")
    return f"blocked by {len(blocked)} of {count} layers: {', '.join(names)}"


def _layers(found: preflight.Preflight, notes: _Notes) -> str:
    keras = found.keras
    headers = (
        *_LAYER_HEADERS,
        *(name.replace("_", "\n") for name in keras.techniques),
        *(file.recipe.replace("_", "\n") for file in found.files),
    )
    columns = [_cells_of_file(keras, file) for file in found.files]
    rows = [
        (
            facts_text.printable(layer.path),
            layer.class_name,
            facts_text.shape(layer.output_shape),
            f"{layer.parameters:,}",
            *(_verdict(layer, name, notes) for name in keras.techniques),
            *(column[layer.path] for column in columns),
        )
        for layer in keras.layers
    ]
    aligned = ("left", "left", "left", "right")
    return tabulate.tabulate(
        rows,
        headers,
        disable_numparse=True,
        colalign=aligned + ("left",) * (len(headers) - len(aligned)),
    )


def _verdict(layer: preflight.KerasLayer, technique: str, notes: _Notes) -> str:
    verdict = layer.verdicts[technique]
    word = _WORDS.get(verdict.status, "-")
    if not verdict.reason:
        return word
    text = f"{technique}: {verdict.reason} {verdict.fix}".rstrip()
    return f"{word} [{notes.number(text)}]"


def _cells_of_file(
    keras: preflight.KerasSupport, file: preflight.ConvertedFile
) -> dict[str, str]:
    """Returns what became of each layer in a file, by path."""
    cells: dict[str, list[str]] = {layer.path: [] for layer in keras.layers}
    for operation in file.operations:
        if not operation.layers:
            continue
        first, *others = operation.layers
        word = (
            operation.name
            if file.recipe == "float32"
            else _ARITHMETIC[operation.arithmetic]
        )
        cells[first].append(word + "*" * (operation.is_delegated is False))
        for path in others:
            cells[path].append("fused")
    lost = any(not operation.layers for operation in file.operations)
    return {
        layer.path: (
            ", ".join(dict.fromkeys(map(facts_text.printable, words)))
            or ("?" if lost and layer.parameters else "-")
        )
        for layer, words in zip(keras.layers, cells.values(), strict=True)
    }


def _operations(found: preflight.Preflight) -> str:
    """Returns a table of the operations that no layer is known of."""
    counts: dict[tuple[str, ...], int] = {}
    for file in found.files:
        for operation in file.operations:
            if not operation.layers:
                key = (
                    file.recipe,
                    facts_text.printable(operation.name),
                    _ARITHMETIC[operation.arithmetic],
                    _delegated(operation),
                )
                counts[key] = counts.get(key, 0) + 1
    if not counts:
        return ""
    rows = [
        (recipe, name, str(count), arithmetic, delegated)
        for (recipe, name, arithmetic, delegated), count in counts.items()
    ]
    title = "operations of no known layer"
    table = tabulate.tabulate(
        rows,
        _OPERATION_HEADERS,
        disable_numparse=True,
        colalign=("left", "left", "right", "left", "left"),
    )
    return f"{title}\n{table}"


def _delegated(operation: preflight.Operation) -> str:
    if operation.is_delegated is None:
        return "?"
    return "yes" if operation.is_delegated else "no"


def _files(found: preflight.Preflight) -> list[str]:
    lines = []
    for file in found.files:
        count = len(file.operations)
        origin = f" by {file.backend}" if file.backend else ""
        parts = [f"{count} operation{'s'[: count != 1]}{origin}"]
        uncovered = found.uncovered.get(file.recipe)
        if uncovered:
            parts.append(
                f"LiteRT Quantizer does not cover {', '.join(uncovered)}"
            )
        parts.append(_xnnpack(file))
        lines.append(f"{file.recipe}: {'; '.join(parts)}")
    return lines


def _xnnpack(file: preflight.ConvertedFile) -> str:
    if file.partitions is None:
        error = facts_text.printable(file.delegate_error)
        return f"does not prepare with XNNPACK: {error}"
    count = file.partitions
    text = f"{count} XNNPACK partition{'s'[: count != 1]}"
    left_out = [o.name for o in file.operations if o.is_delegated is False]
    return f"{text}, leaves out {_counted(left_out)}" if left_out else text


def _counted(names: Sequence[str]) -> str:
    return ", ".join(
        f"{names.count(name)} {facts_text.printable(name)}"
        for name in sorted(set(names))
    )


def _failures(found: preflight.Preflight) -> list[str]:
    return [
        f"{failure.name}: BLOCKED: {failure.message} {failure.remedy}".rstrip()
        for failure in found.failures
    ]
