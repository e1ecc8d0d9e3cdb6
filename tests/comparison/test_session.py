# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tflite_opt.comparison import budget, judge, session, stored
from tflite_opt.records import artifact, benchmark, files, run_directory

_OPTIONS = benchmark.RuntimeOptions(num_threads=3)


class _FakeRunner:
    """Measures nothing, remembers what it was given, can fail."""

    identity = "fake"

    def __init__(self, failing=""):
        self.failing = failing
        self.asked = []

    def run(self, artifacts, options, directory):
        self.asked = [item.name for item in artifacts]
        return [self._outcome(item, options, directory) for item in artifacts]

    def _outcome(self, item, options, directory):
        if item.name == self.failing:
            return benchmark.BenchmarkFailure(artifact=item, message="Dead.")
        path = directory / f"{item.name}.npz"
        files.write_npz(path, {})
        return factories.result(item, options=options, samples_path=path)


@pytest.fixture
def run(tmp_path):
    return run_directory.RunDirectory.create(tmp_path / "run", command="x")


@pytest.fixture
def models(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.tflite").write_bytes(name.encode())
    return [
        artifact.describe(tmp_path / f"{name}.tflite", format="tflite")
        for name in ("a", "b")
    ]


@pytest.fixture(autouse=True)
def _without_facts(monkeypatch):
    monkeypatch.setattr(stored, "_facts_of_file", lambda item: None)


@pytest.mark.parametrize("twice", [False, True])
def test_files_are_measured_together_the_baseline_perhaps_twice(
    models, run, twice
):
    runner = _FakeRunner()
    (before, after), again = session.measure_files(
        *models, runner, _OPTIONS, run, twice=twice
    )
    assert runner.asked == ["a", "b"] + ["a.again"] * twice
    assert before.artifact == models[0]
    assert after.result.options == _OPTIONS
    assert (again is not None) is twice
    if again is not None:
        assert again.artifact.sha256 == before.artifact.sha256


def test_a_gate_measures_again_only_what_its_budget_needs(models, tmp_path):
    def create():
        return run_directory.RunDirectory.create(tmp_path / "run", command="x")

    def measure(limits, runner):
        return session.measure_again(
            budget.parse({"models": {"a": limits}}),
            {item.name: stored.Evidence(artifact=item) for item in models},
            judge.Baseline(artifacts=judge.read_artifacts(tmp_path)),
            runner,
            _OPTIONS,
            create,
        )

    runner = _FakeRunner()
    assert measure({"partitions": 1}, runner) == {}
    assert runner.asked == []
    assert not (tmp_path / "run").exists()
    runner = _FakeRunner(failing="a")
    found = measure({"relative": {"latency": "3 %"}}, runner)
    assert runner.asked == ["a.baseline", "a"]
    assert found["a.baseline"].result.options == _OPTIONS
    assert found["a"].failure.message == "Dead."
