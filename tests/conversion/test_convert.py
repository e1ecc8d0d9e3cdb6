# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests.conversion import crashing_worker
from tflite_opt import recipe as recipe_lib
from tflite_opt.conversion import convert, job
from tflite_opt.data import dataset, sources
from tflite_opt.keras_models import reference
from tflite_opt.records import (
    artifact,
    errors,
    files,
    model_spec,
    run_directory,
    tensor_errors,
)


def _model(path):
    return model_spec.ModelSpec(
        artifact=artifact.describe(path, format="keras")
    )


def _request(*recipes, **fields):
    spec = dataset.DataSpec(source="digits", num_calibration=20, limit=100)
    values = {
        "model": _model(reference.sample_model_path()),
        "data": spec,
        "data_fingerprint": sources.load(spec).fingerprint(),
        "recipes": recipes,
        "reference_splits": ("validation",),
    }
    return convert.Request(**values | fields)


def _accident(kind):
    return recipe_lib.Recipe(
        name=kind, convert=crashing_worker.Accident(kind=kind)
    )


def _preset(name):
    return recipe_lib.presets()[name]


@pytest.fixture(scope="module")
def after_accidents(tmp_path_factory):
    """One run in which everything goes wrong between two good variants."""
    patch = pytest.MonkeyPatch()
    patch.setattr(convert, "_WORKER", "tests.conversion.crashing_worker")
    run = run_directory.RunDirectory.create(
        tmp_path_factory.mktemp("accidents") / "run", command="test"
    )
    # Freezing imports TensorFlow, which may take longer than a short timeout.
    convert.convert(_request(_preset("dynamic_range")), run)
    request = _request(
        _preset("dynamic_range"),
        _accident("crash"),
        _accident("reject"),
        _accident("no-op"),
        _accident("hang"),
        dataclasses.replace(_preset("int8"), name=crashing_worker.LATE),
        _preset("int8"),
        timeout_s=8.0,
    )
    found, failures = convert.convert(request, run)
    patch.undo()
    return run, found, {failure.name: failure for failure in failures}


def test_the_other_variants_go_on_after_a_crash(after_accidents):
    _, found, failures = after_accidents
    assert [v.artifact.name for v in found] == ["dynamic_range", "late", "int8"]
    assert set(failures) == {"crash", "reject", "no-op", "hang"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("crash", "crashed with signal 11"),
        ("hang", "timed out after 8 s"),
        ("reject", "The converter rejected the model."),
        ("no-op", "0% of the weights quantized"),
    ],
)
def test_a_failure_names_model_technique_and_reason(
    after_accidents, name, message
):
    failure = after_accidents[2][name]
    assert failure.model == "sample_model.h5"
    assert failure.technique == f"accident(kind={name})"
    assert message in failure.message


@pytest.mark.parametrize("name", ["crash", "hang"])
def test_a_dead_process_comes_with_a_remedy(after_accidents, name):
    assert after_accidents[2][name].remedy


def test_a_failed_variant_leaves_no_file(after_accidents):
    run = after_accidents[0]
    names = {path.name for path in run.path("artifacts").iterdir()}
    assert names == {
        f"{name}.{suffix}"
        for name in ("dynamic_range", "late", "int8")
        for suffix in ("tflite", "json", "golden.npz")
    }


def test_what_is_done_is_not_done_again(after_accidents):
    run, found, _ = after_accidents
    before = {v.artifact.path: v.artifact.path.stat().st_mtime for v in found}
    again, failures = convert.convert(
        _request(_preset("dynamic_range"), _preset("int8")), run
    )
    assert not failures
    assert again == [found[0], found[-1]]
    assert all(p.stat().st_mtime == time for p, time in before.items())


def test_other_settings_make_the_variant_again(after_accidents):
    run, found, _ = after_accidents
    technique = dataclasses.replace(
        _preset("int8").convert, granularity="per_tensor"
    )
    per_tensor = recipe_lib.Recipe(name="int8", convert=technique)
    (again,), failures = convert.convert(_request(per_tensor), run)
    assert not failures
    assert again.artifact.sha256 != found[-1].artifact.sha256
    scales = {t.scales for t in again.facts.tensors if t.role == "weight"}
    assert scales == {1}


def test_errors_of_tensors_are_beside_integer_variants(after_accidents):
    run, found, _ = after_accidents
    names = {path.name for path in run.path("tensor_errors").iterdir()}
    assert names == {"dynamic_range.json", "int8.json"}
    dynamic = tensor_errors.TensorErrors.load(
        job.Layout(root=run.root).tensor_errors("dynamic_range")
    )
    assert dynamic.sha256 == found[0].artifact.sha256
    labels = [x.label for x in dynamic.tensors]
    assert labels[1] == "stem, stem_bn, stem_relu"
    assert labels[-1] == "probabilities"
    assert dynamic.num_examples == 10


def test_a_model_that_cannot_be_loaded_stops_the_conversion(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(b"no HDF5 file at all")
    run = run_directory.RunDirectory.create(tmp_path / "run", command="test")
    with pytest.raises(errors.ModelError, match=r"model\.h5"):
        convert.convert(
            _request(
                _preset("int8"),
                model=_model(path),
            ),
            run,
        )
    assert not job.Layout(root=run.root).float_model.exists()


def test_what_was_done_without_training_is_noted(after_accidents):
    run = after_accidents[0]
    (found,), failures = convert.convert(
        _request(_preset("int8_equalized")), run
    )
    assert not failures
    layout = job.Layout(root=run.root)
    prepared = layout.prepared("int8_equalized", 0)
    assert prepared.exists()
    first, *rest = found.notes
    assert first.startswith("Equalized ")
    assert "on 10 calibration examples" in rest[0]
    assert any(note.startswith("bias_correction ") for note in rest)
    assert found.artifact.parents[0] == files.sha256_of_file(layout.float_model)
