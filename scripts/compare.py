# SPDX-License-Identifier: Apache-2.0
r"""Says whether a .tflite is faster or slower than another one.

    python -m scripts.compare runs/demo/artifacts/float32.tflite \
        runs/demo/artifacts/int8.tflite

Two files are measured now, in turns. Two stored results, each a benchmark
record or a run directory with all its variants, are compared as they are, if
device, runtime, tool and options are the same; with accuracy, paired by
example, where both were evaluated on the same ones. Exit code 0 when nothing
is worse, 1 when a candidate is slower or loses more accuracy than allowed, 3
when that could not be decided, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.comparison import compare, session, stored
from tflite_opt.records import benchmark, comparison, errors
from tflite_opt.report import comparison_text, facts_comparison

from . import _cli, _run_flags, _runner_flags, _runtime_flags

_DEFAULTS = compare.Options()

_MARGIN = flags.DEFINE_float(
    "margin",
    _DEFAULTS.margin,
    "Differences of latency up to this fraction do not matter.",
)
_MAX_ACCURACY_DROP = flags.DEFINE_float(
    "max_accuracy_drop",
    _DEFAULTS.max_accuracy_drop,
    "Largest acceptable loss of the metric, a fraction.",
)
_AA = flags.DEFINE_bool(
    "aa",
    False,
    "Whether to measure the baseline twice: the difference between the two is "
    "the noise floor, and a --margin below it is refused.",
)


def main(arguments: Sequence[str]) -> int:
    """Compares the candidate with the baseline."""
    if len(arguments) != 2:
        raise errors.InputError(
            "Give a baseline and a candidate: two .tflite files, two benchmark "
            "records or two run directories. "
            f"Received: {' '.join(arguments) or 'none'}."
        )
    options = compare.Options(
        margin=_MARGIN.value, max_accuracy_drop=_MAX_ACCURACY_DROP.value
    )
    pairs, again = _evidence(arguments)
    found = compare.compare(pairs, options, again)
    _emit(pairs, found)
    if any(item.is_worse for item in found):
        return 1
    return 3 if any(item.is_inconclusive for item in found) else 0


def _evidence(
    arguments: Sequence[str],
) -> tuple[list[compare.Pair], benchmark.BenchmarkResult | None]:
    files = [argument.endswith(".tflite") for argument in arguments]
    if all(files):
        return _measure(arguments)
    if any(files) or _AA.value:
        raise errors.InputError(
            "Two .tflite files are measured, stored results are not: give two "
            "of a kind, and --aa only with files. "
            f"Received: {' '.join(arguments)}."
        )
    baseline, candidate = (stored.load(pathlib.Path(x)) for x in arguments)
    return compare.match(baseline, candidate), None


def _measure(
    paths: Sequence[str],
) -> tuple[list[compare.Pair], benchmark.BenchmarkResult | None]:
    if len(set(paths)) == 1:
        raise errors.InputError(
            "Give two different files; what a file differs from itself is "
            f"measured by --aa. Received: {' '.join(paths)}."
        )
    baseline, candidate = _cli.tflite_files(paths)
    pair, again = session.measure_files(
        baseline,
        candidate,
        _runner_flags.runner(),
        _runtime_flags.runtime_options(),
        _run_flags.run(),
        twice=_AA.value,
    )
    return [pair], again


def _emit(
    pairs: Sequence[compare.Pair], found: Sequence[comparison.Comparison]
) -> None:
    text = comparison_text.describe(found)
    facts = [side.facts for side in pairs[0] if side.facts]
    if len(pairs) == 1 and len(facts) == 2:
        names = [side.artifact.name for side in pairs[0]]
        text += "\n\n" + facts_comparison.compare(names, facts)
    _cli.emit([item.to_json() for item in found], text)


if __name__ == "__main__":
    _cli.run(main)
