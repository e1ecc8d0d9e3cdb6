# SPDX-License-Identifier: Apache-2.0
"""The latency of artifacts that a search made.

All of a batch are measured in one session with float32, launches interleaved,
when nothing is trained or converted on this machine by the search.
"""

import dataclasses
from collections.abc import Sequence

from tflite_opt import stages
from tflite_opt.records import (
    artifact,
    benchmark,
    errors,
    run_directory,
    search,
    variants,
)
from tflite_opt.search import making
from tflite_opt.search import store as store_lib


@dataclasses.dataclass(frozen=True, kw_only=True)
class Meter:
    """Measures outcomes; an instance is a `loop.Measure`.

    Attributes:
        runner: What measures.
        options: How.
        run: Gets records and samples.
        store: Where the artifacts are.
        baseline: The float32 artifact.
    """

    runner: benchmark.Runner
    options: benchmark.RuntimeOptions
    run: run_directory.RunDirectory
    store: store_lib.Store
    baseline: artifact.Artifact

    def __call__(
        self, outcomes: Sequence[search.Outcome], session: str
    ) -> list[search.Outcome]:
        """Returns the outcomes with their latency, or as failed.

        Raises:
            BenchmarkError: If not even float32 could be measured.
        """
        others = [x.name for x in outcomes if x.name != self.baseline.name]
        together = [
            self.baseline,
            *(variant(self.store, name).artifact for name in others),
        ]
        folder = f"search/{session}/"
        results = stages.measure(
            together, self.runner, self.options, self.run, folder
        )
        medians = {x.artifact.name: x.median_ms for x in results}
        failures = {
            x.artifact.name: x.message
            for x in stages.unmeasured(together, self.run, folder)
        }
        if self.baseline.name not in medians:
            raise errors.BenchmarkError(failures[self.baseline.name])
        return [
            dataclasses.replace(
                x,
                latency_ms=medians[x.name],
                times_faster=medians[self.baseline.name] / medians[x.name],
            )
            if x.name in medians
            else search.Outcome(
                name=x.name, status="failed", reason=failures[x.name]
            )
            for x in outcomes
        ]


def variant(store: store_lib.Store, name: str) -> variants.Variant:
    """Returns the record of an artifact that a job left."""
    return variants.Variant.load(store.made / name / making.VARIANT)
