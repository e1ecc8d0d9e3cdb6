# SPDX-License-Identifier: Apache-2.0
import dataclasses

from tests import factories
from tflite_opt.report import benchmark_text


def _cells(result):
    return benchmark_text.table([result]).splitlines()[2].split()


def test_what_a_tool_does_not_tell_is_a_dash():
    result = factories.result(factories.tflite("int8"))
    known = _cells(result)
    assert "-" not in known
    unknown = dataclasses.replace(
        result,
        latency=dataclasses.replace(
            result.latency,
            median_ms=None,
            median_low_ms=None,
            median_high_ms=None,
            p90_ms=None,
            p99_ms=None,
        ),
        peak_memory_bytes=None,
        partitions=None,
    )
    expected = list(known)
    for column in (1, 2, 3, 4, 8, 9):
        expected[column] = "-"
    assert _cells(unknown) == expected
