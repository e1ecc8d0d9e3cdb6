# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests import factories
from tflite_opt.comparison import comparable
from tflite_opt.records import benchmark, errors

_LAUNCHES = factories.launches([1.0, 1.0])
_BASE = factories.result(factories.tflite("a"), launches=_LAUNCHES)
_OPTIONS = benchmark.RuntimeOptions()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {"device": factories.device(model="other")},
            "device.model=cpu against other",
        ),
        (
            {"device": factories.device(device_key="l")},
            "device.device_key=k against l",
        ),
        (
            {"device": factories.device(num_cpus=4)},
            "device.num_cpus=2 against 4",
        ),
        (
            {"runtime": "ai-edge-litert 2.2.0"},
            "runtime=ai-edge-litert 2.3.0 against ai-edge-litert 2.2.0",
        ),
        (
            {"launches": factories.launches([1.0], source="benchmark_model")},
            "tool=tflite_opt.launch against benchmark_model",
        ),
        (
            {"options": dataclasses.replace(_OPTIONS, num_threads=2)},
            "options.num_threads=1 against 2",
        ),
        (
            {"options": dataclasses.replace(_OPTIONS, delegate="none")},
            "options.delegate=xnnpack against none",
        ),
    ],
    ids=lambda value: value.split("=")[0] if isinstance(value, str) else "",
)
def test_what_differs_is_named_and_refused(change, named):
    other = factories.result(
        factories.tflite("b"), **{"launches": _LAUNCHES} | change
    )
    assert comparable.differences(_BASE, other) == [named]
    with pytest.raises(errors.InputError) as caught:
        comparable.require_comparable(_BASE, other)
    assert named in str(caught.value)
    assert "'a' and 'b'" in str(caught.value)
    assert "python -m scripts.compare" in str(caught.value)


def test_all_that_differs_is_named_at_once():
    options = dataclasses.replace(_OPTIONS, num_threads=2, min_secs=9.0)
    other = factories.result(
        factories.tflite("b"), launches=_LAUNCHES, options=options
    )
    assert len(comparable.differences(_BASE, other)) == 2


def test_more_launches_and_another_timeout_are_no_other_conditions():
    options = dataclasses.replace(_OPTIONS, launches=40, timeout_s=5.0)
    other = factories.result(
        factories.tflite("b"), launches=_LAUNCHES * 2, options=options
    )
    comparable.require_comparable(_BASE, other)
