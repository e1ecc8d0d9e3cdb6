# SPDX-License-Identifier: Apache-2.0
"""Roofline and op profile of small models."""

import pytest

from tests.tflite import handmade
from tflite_opt.benchmark import desktop, op_profiling, roofline
from tflite_opt.records import artifact, benchmark, errors, op_profile
from tflite_opt.tflite import facts, litert_library

_QUICK = benchmark.RuntimeOptions(
    launches=1,
    warmup_runs=0,
    warmup_min_secs=0.0,
    num_runs=3,
    min_secs=0.0,
    check=False,
)


@pytest.fixture
def measured(finished_run, tmp_path):
    items = [
        artifact.describe(
            finished_run.path("artifacts", f"{name}.tflite"), format="tflite"
        )
        for name in ("float32", "int8")
    ]
    return desktop.DesktopRunner().run(items, _QUICK, tmp_path)


def test_a_model_is_compared_with_an_operation_of_its_dtype(measured, tmp_path):
    floating, integer = roofline.measure(measured, tmp_path / "roofline")
    assert (floating.dtype, integer.dtype) == ("float32", "int8")
    known = facts.read_facts(integer.artifact.path, delegation=False)
    assert integer.macs == known.macs
    weights = sum(tensor.constant_bytes for tensor in known.weights)
    assert integer.bytes_moved > weights
    assert integer.limit_ms > 0
    assert integer.macs_per_s == pytest.approx(
        integer.macs / integer.median_ms * 1e3
    )
    assert not list((tmp_path / "roofline").glob("*.tflite"))


def test_a_model_without_products_has_no_roofline(tmp_path):
    path = handmade.quantize(0.1, 3).save(tmp_path / "model.tflite")
    item = artifact.describe(path, format="tflite")
    results = desktop.DesktopRunner().run([item], _QUICK, tmp_path)
    assert roofline.measure(results, tmp_path) == []


def test_the_profile_knows_both_kinds_of_names(measured, tmp_path):
    found = op_profiling.profile(measured[1], tmp_path)
    with_delegate, builtin = found.profiles
    assert any("QC8" in op.name for op in with_delegate.ops if op.is_delegated)
    assert [op.name for op in builtin.ops] == list(found.operators)
    for profile in found.profiles:
        assert profile.num_runs >= 3
        assert sum(op.share for op in profile.ops) == pytest.approx(1)
    path = tmp_path / "profile.json"
    found.save(path)
    assert op_profile.ProfiledModel.load(path) == found


def test_another_version_of_the_library_has_no_profile(monkeypatch):
    monkeypatch.setattr(litert_library, "_KNOWN_VERSIONS", ("1.0.",))
    with pytest.raises(errors.ModelError, match=r"version 1\.0\.x.*it is"):
        litert_library.Library()


def test_a_library_without_a_function_has_no_profile(monkeypatch):
    monkeypatch.setattr(litert_library, "_FUNCTIONS", ("LiteRtNothing",))
    with pytest.raises(errors.ModelError, match="it has no LiteRtNothing"):
        litert_library.Library()


def test_no_profile_is_one_clear_line(measured, tmp_path, monkeypatch):
    monkeypatch.setattr(op_profiling, "__name__", "tflite_opt.no_module")
    with pytest.raises(errors.BenchmarkError, match="No op profile of") as e:
        op_profiling.profile(measured[0], tmp_path)
    assert "\n" not in str(e.value)
