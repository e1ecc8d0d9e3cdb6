# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import os
import re

import pytest

from tests import in_process
from tests.compression import toy
from tflite_opt import recipe, stages
from tflite_opt.compression import compress
from tflite_opt.conversion import convert
from tflite_opt.data import dataset, sources
from tflite_opt.keras_models import source
from tflite_opt.records import run_directory, training
from tflite_opt.techniques import fine_tuning, float32, full_integer

pytestmark = pytest.mark.tensorflow

_DATA = dataset.DataSpec(source="digits", num_calibration=20, limit=60)


def _recipe(name, *steps, convert_with=None):
    return recipe.Recipe(
        name=name,
        compress=steps,
        convert=convert_with or float32.Float32(),
    )


@pytest.fixture
def run(tmp_path, monkeypatch):
    in_process.children(monkeypatch, tmp_path)
    return run_directory.RunDirectory.create(tmp_path / "run", command="test")


def _request(*recipes):
    return compress.Request(
        model=source.describe(source.Choice()),
        data=_DATA,
        data_fingerprint=sources.load(_DATA).fingerprint(),
        recipes=recipes,
        options=training.FINE_TUNING,
    )


def test_recipes_share_what_they_begin_with(run, caplog):
    caplog.set_level("INFO")
    zeros, signs = toy.ToyZeros(), toy.ToySigns(preserve=("sparsity",))
    found, failures = compress.compress(
        _request(
            _recipe("plain"),
            _recipe("zeros", zeros),
            _recipe("both", zeros, signs),
        ),
        run,
    )
    assert not failures
    assert set(found) == {"zeros", "both"}
    assert caplog.text.count("compress [") == 2
    assert len(list(run.path("compressed").iterdir())) == 2
    first, second = found["zeros"], found["both"]
    assert second.artifact.parents == (first.artifact.sha256,)
    assert [step.gives for step in second.steps] == ["sparsity", "clusters"]
    # The promise of the first step, measured after each.
    for step in second.steps:
        assert step.kept[0].zero_fraction >= 0.5
    assert second.steps[1].kept[1].unique_values == 3
    assert first.output_names == ("probabilities",)
    # Again: nothing is left to do.
    caplog.clear()
    compress.compress(_request(_recipe("zeros", zeros)), run)
    assert len(list(run.path("compressed").iterdir())) == 2


def test_processes_train_at_a_time_on_shares_of_the_cpus(tmp_path, monkeypatch):
    monkeypatch.setattr(compress, "_WORKER", "tests.compression.meeting")
    run = run_directory.RunDirectory.create(tmp_path / "run", command="test")
    request = _request(
        _recipe("zeros", fine_tuning.FineTuning()),
        _recipe("ones", fine_tuning.FineTuning(epochs=2)),
    )
    cpus = sorted(os.sched_getaffinity(0))
    found, failures = compress.compress(
        dataclasses.replace(request, processes=2), run
    )
    assert not failures
    used = [json.loads(model.steps[0].notes[0]) for model in found.values()]
    assert sorted(used) == sorted([cpus[::2], cpus[1::2] or cpus])
    assert sorted(os.sched_getaffinity(0)) == cpus
    for model in found.values():
        log = run.path("logs", f"{model.artifact.name}.log")
        assert log.read_text() == "I was here.\n"


def test_what_a_later_step_destroys_is_a_failure(run):
    zeros = toy.ToyZeros()
    liar = toy.ToySigns(preserve=("sparsity",), keeps_zeros=False)
    found, failures = compress.compress(
        _request(_recipe("good", zeros), _recipe("bad", zeros, liar)), run
    )
    assert set(found) == {"good"}
    (failure,) = failures
    assert failure.name == "bad"
    assert re.match(
        r"toy_signs: `kernel` of 'residual' must have at least 50.00% "
        r"zeros in the Keras model\. Received: 0\.00%\.",
        failure.message,
    )


def test_a_failed_step_costs_all_that_need_it(run):
    broken = toy.ToyZeros(diverges=True)
    signs = toy.ToySigns(preserve=("sparsity",))
    found, failures = compress.compress(
        _request(_recipe("one", broken), _recipe("two", broken, signs)), run
    )
    assert not found
    assert [failure.name for failure in failures] == ["one", "two"]
    assert {failure.message for failure in failures} == {
        "toy_zeros: The loss must stay finite."
    }


def test_promises_are_measured_on_the_file(run):
    zeros, signs = toy.ToyZeros(), toy.ToySigns(preserve=("sparsity",))
    request = _request(
        _recipe("float32"),
        _recipe("int8", zeros, signs, convert_with=full_integer.FullInteger()),
    )
    found, failures = stages.make_variants(
        convert.Request(
            model=request.model,
            data=request.data,
            data_fingerprint=request.data_fingerprint,
            recipes=request.recipes,
        ),
        request.options,
        run,
    )
    assert not failures
    plain, int8 = found
    assert plain.kept == ()
    assert plain.compressed is None
    assert plain.keras_agreement is None
    assert [kept.where for kept in int8.kept] == ["tflite", "tflite"]
    assert [kept.dtype for kept in int8.kept] == ["int8", "int8"]
    assert int8.kept[0].zero_fraction >= 0.5
    assert int8.kept[1].channel_unique_values <= 3
    assert int8.keras_agreement > 0.9
    outputs = [x.facts.signatures[0].outputs[0].name for x in found]
    assert outputs == ["probabilities", "probabilities"]


def test_a_model_without_layers_is_refused(run, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"")
    request = dataclasses.replace(
        _request(_recipe("zeros", toy.ToyZeros())),
        model=source.describe(source.Choice(model=str(path))),
    )
    _, (failure,) = compress.compress(request, run)
    assert "must" in failure.message or "need a Keras model" in failure.message
    assert "format='tflite'" in failure.message
