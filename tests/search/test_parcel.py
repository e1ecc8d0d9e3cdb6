# SPDX-License-Identifier: Apache-2.0
import dataclasses
import pathlib

import pytest

from tests import factories
from tests.search import recorded
from tflite_opt.data import dataset, keras_cache
from tflite_opt.search import parcel


@pytest.fixture
def job(tmp_path):
    """Returns a job whose files exist."""
    home = tmp_path / "home"
    (home / "base" / "float").mkdir(parents=True)
    (home / "base" / "float" / "model.tflite").write_bytes(b"float")
    (home / "my.keras").write_bytes(b"keras")
    (home / "my.weights.h5").write_bytes(b"weights")
    (home / "my.npz").write_bytes(b"data")
    found = recorded.plan(home).job
    artifact = dataclasses.replace(
        factories.tflite(), path=home / "my.keras", format="keras"
    )
    return dataclasses.replace(
        found,
        model=dataclasses.replace(
            found.model, artifact=artifact, weights=home / "my.weights.h5"
        ),
        data=dataset.DataSpec(source=f"npz:{home / 'my.npz'}"),
        work=home / "work" / "untrained-1",
    )


def test_a_job_finds_its_files_where_they_were_unpacked(job, tmp_path):
    folder = tmp_path / "there"
    parcel.unpack(parcel.pack(job), folder)
    found = parcel.at_home(job, folder)
    assert (found.base / "float" / "model.tflite").read_bytes() == b"float"
    assert found.model.artifact.path.read_bytes() == b"keras"
    assert found.model.weights.read_bytes() == b"weights"
    data = pathlib.Path(found.data.source.removeprefix("npz:"))
    assert data.read_bytes() == b"data"
    assert found.work == folder / "work" / "untrained-1"
    assert found.made == folder / "made"


def test_equal_files_give_equal_parcels(job):
    first = parcel.pack(job)
    (job.base / "float" / "model.tflite").touch()
    assert parcel.pack(job) == first


def test_a_parcel_is_unpacked_once(job, tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    parcel.unpack(parcel.pack(job), folder)
    assert list(folder.iterdir()) == []


def test_what_keras_keeps_travels_too(job, tmp_path):
    cache = tmp_path / "cache"
    (name,) = keras_cache.files_of("mnist")
    (cache / name).parent.mkdir(parents=True)
    (cache / name).write_bytes(b"mnist")
    job = dataclasses.replace(
        job, data=dataset.DataSpec(source="mnist", data_cache=str(cache))
    )
    folder = tmp_path / "there"
    parcel.unpack(parcel.pack(job), folder)
    found = parcel.at_home(job, folder)
    there = keras_cache.directory(found.data.data_cache) / name
    assert there.read_bytes() == b"mnist"


def test_data_that_come_with_a_package_do_not_travel(job, tmp_path):
    job = dataclasses.replace(job, data=dataset.DataSpec(source="digits"))
    assert parcel.at_home(job, tmp_path).data == job.data


def test_a_models_function_is_found_on_the_host_itself(job, tmp_path):
    model = dataclasses.replace(job.model, function="mine:build", weights=None)
    job = dataclasses.replace(job, model=model)
    parcel.unpack(parcel.pack(job), tmp_path / "there")
    assert parcel.at_home(job, tmp_path / "there").model == model
