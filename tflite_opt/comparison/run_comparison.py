# SPDX-License-Identifier: Apache-2.0
"""Compares two runs and shows both on one page."""

import pathlib

from tflite_opt.comparison import compare, stored
from tflite_opt.records import comparison, errors, report, run_directory
from tflite_opt.report import build


def write(
    baseline: run_directory.RunDirectory, candidate: run_directory.RunDirectory
) -> tuple[list[comparison.Comparison], pathlib.Path]:
    """Compares the models that both runs have measured.

    Returns:
        The comparisons, and the page in the candidate's folder `report`.

    Raises:
        InputError: If they have no model in common, or if one was measured
            under different conditions.
        DataError: If predictions were changed since.
    """
    # Slow to import, and only pages need it.
    from tflite_opt.report.page import comparison_page

    before, after = stored.run(baseline), stored.run(candidate)
    pairs = [
        pair
        for pair in compare.match(before, after)
        if pair[0].result and pair[1].result
    ]
    if not pairs:
        raise errors.InputError(
            "Both runs must have measured a model that they share. Received: "
            f"{str(baseline.root)!r} and {str(candidate.root)!r}, which have "
            "not."
        )
    found = compare.compare(pairs, compare.Options())

    def side(
        run: run_directory.RunDirectory, models: dict[str, stored.Evidence]
    ) -> comparison_page.Side:
        records = build.RunRecords(run)
        chosen = records.optional(report.Recommendation, records.recommendation)
        return comparison_page.Side(
            name=run.root.name,
            manifest=run.manifest,
            models=tuple(models),
            recommended=chosen.name if chosen else "",
        )

    path = build.RunRecords(candidate).report / "comparison.html"
    return found, comparison_page.write(
        found, side(baseline, before), side(candidate, after), path
    )
