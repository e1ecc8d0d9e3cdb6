# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tflite_opt.benchmark import tool_launches
from tflite_opt.records import benchmark, errors


def test_the_reason_of_a_failure_is_the_tools_own():
    with pytest.raises(errors.BenchmarkError) as caught:
        tool_launches.require_success(
            "int8", 1, "INFO: STARTING!", "ERROR: Failed to load model /m"
        )
    assert str(caught.value) == (
        "A launch of 'int8' failed: Failed to load model /m"
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [(134, "crashed with signal 6"), (3, "failed: exit code 3")],
    ids=["signal", "silent_failure"],
)
def test_an_exit_code_is_told_apart_from_a_signal(code, message):
    with pytest.raises(errors.BenchmarkError, match=message):
        tool_launches.require_success("int8", code, "", "")


def test_a_launch_is_named_by_all_that_it_depends_on(tmp_path):
    artifact, options = factories.tflite(), benchmark.RuntimeOptions()
    others = [
        (factories.tflite(sha256="1" * 64), "a", options, 0),
        (artifact, "b", options, 0),
        (artifact, "a", benchmark.RuntimeOptions(num_threads=2), 0),
        (artifact, "a", options, 1),
    ]
    paths = {
        tool_launches.path_of(tmp_path, *x)
        for x in [(artifact, "a", options, 0), *others]
    }
    assert len(paths) == 5
