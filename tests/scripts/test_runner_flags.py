# SPDX-License-Identifier: Apache-2.0
import importlib.metadata
import pathlib
import re
import sys

import pytest
from absl import flags
from absl.testing import flagsaver

from scripts import _runner_flags
from tflite_opt.benchmark import desktop
from tflite_opt.records import errors

_LITERT_BENCHMARK = pathlib.Path(sys.executable).with_name("litert-benchmark")


def _runner(**values):
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    with flagsaver.flagsaver(**values):
        return _runner_flags.runner()


def test_this_machine_measures_unless_told_otherwise():
    assert isinstance(_runner(), desktop.DesktopRunner)


def test_a_tool_is_found_out_from_its_binary():
    found = _runner(
        runner="benchmark_model", benchmark_binary=str(_LITERT_BENCHMARK)
    )
    version = re.escape(importlib.metadata.version("ai-edge-litert"))
    assert re.fullmatch(
        rf"litert_benchmark {version} [0-9a-f]{{12}}", found.identity
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"runner": "benchmark_model"}, "Received: runner=benchmark_model"),
        ({"benchmark_binary": "x"}, "Received: runner=desktop"),
        (
            {"runner": "benchmark_model", "benchmark_binary": "/nowhere/x"},
            "which is not there",
        ),
    ],
    ids=["no_binary", "no_runner", "missing_binary"],
)
def test_rejects_flags_that_do_not_fit(values, message):
    with pytest.raises(errors.InputError, match=message):
        _runner(**values)
