# SPDX-License-Identifier: Apache-2.0
"""What `import tflite_opt` offers."""

import subprocess
import sys

import pytest

import tflite_opt
from tflite_opt import api
from tflite_opt.records import files

_DATA = tflite_opt.DataSpec(source="digits", num_calibration=50, limit=200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def converted(folder):
    own = tflite_opt.Recipe.from_json(
        {"name": "mine", "convert": {"technique": "dynamic_range"}}
    )
    return tflite_opt.convert(
        data=_DATA, recipes=["int8", own], output_dir=folder / "run"
    )


def test_the_common_path_has_ten_documented_names():
    assert len(tflite_opt.__all__) <= 10
    assert set(tflite_opt.__all__) <= set(dir(tflite_opt))
    for name in tflite_opt.__all__:
        found = getattr(tflite_opt, name)
        assert found is getattr(api, name)
        assert found.__doc__
        assert name in (tflite_opt.__doc__ or "")


def test_importing_it_imports_nothing_else():
    code = (
        "import sys, tflite_opt; dir(tflite_opt)\n"
        "print([n for n in sys.modules if n.startswith('tflite_opt.')])\n"
        "print([n for n in ('numpy', 'tensorflow') if n in sys.modules])\n"
        "tflite_opt.optimize\n"
        "print('tensorflow' in sys.modules, 'tf_keras' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:3] == ["[]", "[]", "False False"]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'optimise'"):
        tflite_opt.optimise  # noqa: B018


def test_convert_returns_a_variant_for_each_recipe(converted):
    names = [variant.artifact.name for variant in converted]
    assert names == ["float32", "int8", "mine"]
    sizes = [variant.artifact.size_bytes for variant in converted]
    assert sizes[0] > 3 * sizes[1]


def test_the_same_call_again_converts_nothing(folder, converted):
    before = converted[1].artifact.path.stat().st_mtime_ns
    again = tflite_opt.convert(
        data=_DATA, recipes=["int8"], output_dir=folder / "run"
    )
    assert again[1].artifact.path.stat().st_mtime_ns == before


@pytest.mark.slow
def test_several_recipes_may_train_at_a_time(folder):
    found = tflite_opt.convert(
        data=_DATA,
        recipes=["prune50_int8", "cluster16_int8"],
        output_dir=folder / "trained",
        finetune_epochs=1,
        training_processes=2,
    )
    assert [x.artifact.name for x in found[1:]] == [
        "prune50_int8",
        "cluster16_int8",
    ]
    assert len(list((folder / "trained" / "logs").glob("*.log"))) >= 2


def test_evaluate_judges_against_the_first(folder, converted):
    found = tflite_opt.evaluate(
        converted[:2], _DATA, output_dir=folder / "run", split="validation"
    )
    assert [x.artifact.name for x in found] == ["float32", "int8"]
    assert found[0].drop is None
    assert found[1].drop is not None
    assert 0.9 < found[1].metric.value <= 1
    assert found[1].agreement.same_predictions > 0.9


def test_measure_takes_files_and_options(folder, converted):
    (found,) = tflite_opt.measure(
        [str(converted[1].artifact.path)],
        output_dir=folder / "measured",
        quick=True,
        launches=1,
    )
    assert found.options.launches == 1
    assert found.options.num_runs == 20
    assert found.latency.median_ms > 0


def test_measure_says_what_could_not_be_measured(folder, converted):
    broken = folder / "broken.tflite"
    files.write_bytes(broken, b"\0" * 100)
    with pytest.raises(tflite_opt.TfliteOptError, match="broken"):
        tflite_opt.measure(
            [broken], output_dir=folder / "broken", quick=True, launches=1
        )


def test_compare_gives_a_ratio_with_its_interval(folder, converted):
    found = tflite_opt.compare(
        *converted[:2],
        output_dir=folder / "compared",
        quick=True,
        launches=4,
        min_secs=0.02,
        warmup_min_secs=0.0,
    )
    assert found.candidate.name == "int8"
    assert 0 < found.latency.low <= found.latency.value <= found.latency.high


def test_inspect_reads_the_file(converted):
    found = tflite_opt.inspect(converted[1].artifact.path)
    assert found.quantized_weight_fraction == 1


def test_check_data_has_nothing_against_digits():
    assert tflite_opt.check_data().warnings == ()


def test_bad_input_is_one_kind_of_error(folder):
    with pytest.raises(tflite_opt.TfliteOptError, match="Received: int7"):
        tflite_opt.optimize(recipes=["int7"], output_dir=folder / "never")
    for function in (tflite_opt.optimize, tflite_opt.convert):
        with pytest.raises(tflite_opt.TfliteOptError, match="Received: .*=0$"):
            function(training_processes=0, output_dir=folder / "never")
    assert not (folder / "never").exists()


def test_optimize_climbs_for_an_automatic_recipe(folder):
    found = tflite_opt.optimize(
        data=_DATA,
        recipes=["auto_int8"],
        output_dir=folder / "optimized",
        max_accuracy_drop=0.5,
        quick=True,
    )
    assert [row.name for row in found.rows] == ["float32", "auto_int8"]
    assert found.rows[1].quantized_weight_fraction == 1.0
    text = (folder / "optimized/report/report.md").read_text()
    assert "auto_int8, for a loss of at most 50.00%" in text
