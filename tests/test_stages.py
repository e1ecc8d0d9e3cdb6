# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import preflights
from tests.tflite import handmade
from tflite_opt import stages
from tflite_opt.conversion import preflight
from tflite_opt.data import dataset
from tflite_opt.keras_models import source
from tflite_opt.records import run_directory


@pytest.fixture
def calls(monkeypatch):
    """Counts how often a model is really examined."""
    made = []

    def run(request, log):
        made.append(log)
        return preflights.found()

    monkeypatch.setattr(preflight, "run", run)
    return made


def test_a_preflight_is_kept_as_long_as_the_model_is_the_same(
    tmp_path, calls, caplog
):
    caplog.set_level("INFO")
    model = handmade.dense().save(tmp_path / "model.tflite")
    request = preflight.Request(
        choice=source.Choice(model=str(model)),
        data=dataset.DataSpec(source="digits"),
    )
    run = run_directory.RunDirectory.create(tmp_path / "run", command="test")
    assert stages.preflight(request, run) == preflights.found()
    assert stages.preflight(request, run) == preflights.found()
    assert calls == [run.path("logs", "preflight.log")]
    assert run.path("preflight.json").is_file()
    assert "pruning: changes 2 of 5 layers" in caplog.text
    handmade.dense(batch=2).save(model)
    stages.preflight(request, run)
    assert len(calls) == 2
