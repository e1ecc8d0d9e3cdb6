# SPDX-License-Identifier: Apache-2.0
import dataclasses
import importlib.util
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

from tests import factories
from tests.search import ray_nodes, recorded, slowly_recorded
from tests.search.test_loop import Recorded, measure_nothing
from tflite_opt.records import benchmark, errors
from tflite_opt.search import (
    cluster,
    loop,
    ray_executor,
    ray_runner,
    store,
)

pytestmark = [
    pytest.mark.slow,
    # Not imported: it reads the token then.
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="The extra `ray` is not installed.",
    ),
]

TESTS = pathlib.Path(__file__).parents[1]
TIMEOUT_S = 240.0


@pytest.fixture
def nodes(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", ray_nodes.TOKEN)
    # Where tasks work.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    found = ray_nodes.Nodes(tmp_path)
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
def connected(nodes):
    found = cluster.Cluster(nodes.address, modules=[TESTS])
    import ray

    try:
        nodes.wait()
        yield found
    finally:
        ray.shutdown()


def plan(folder):
    """Returns a plan whose files are there to travel."""
    found = recorded.plan(folder, num_trials=12)
    (folder / "base").mkdir(parents=True)
    (folder / "model.tflite").write_bytes(b"model")
    artifact = dataclasses.replace(
        factories.tflite(), path=folder / "model.tflite"
    )
    model = dataclasses.replace(found.job.model, artifact=artifact)
    return dataclasses.replace(
        found, job=dataclasses.replace(found.job, model=model)
    )


def phone_host():
    """Returns the id of the worker's node."""
    import ray

    (found,) = [
        node["NodeID"] for node in ray.nodes() if node["Resources"].get("phone")
    ]
    return found


def kill_amid_work(worker, folder):
    """Kills a node when it has begun a recipe and not ended it."""
    while not slowly_recorded.unfinished(folder):
        time.sleep(0.05)
    worker.kill()


def test_a_lost_node_changes_no_trial(tmp_path, nodes, connected):
    expected = loop.carry_out(
        recorded.plan(tmp_path / "local", num_trials=12),
        store.Store(tmp_path / "local", tmp_path / "local"),
        Recorded(),
        measure_nothing,
    )
    lost = tmp_path / "tflite_opt_search" / phone_host()
    killing = threading.Thread(
        target=kill_amid_work, args=(nodes.worker, lost), daemon=True
    )
    killing.start()
    folder = tmp_path / "ray"
    executor = ray_executor.RayExecutor(
        connected, timeout_s=TIMEOUT_S, worker="tests.search.slowly_recorded"
    )
    found = loop.carry_out(
        plan(folder),
        store.Store(folder, folder),
        executor,
        measure_nothing,
    )
    assert found == expected
    killing.join(timeout=0)
    assert not killing.is_alive()
    (unfinished,) = slowly_recorded.unfinished(lost)
    assert unfinished in {proposal.name for proposal, _ in found}
    with pytest.raises(errors.InputError, match="must offer 'phone'"):
        connected.require("phone")


class Stopwatch:
    """A runner that is told apart by the node it is on."""

    @property
    def identity(self):
        return f"stopwatch {cluster.node()}"

    def run(self, artifacts, options, directory):
        found = []
        for artifact in artifacts:
            samples = directory / f"{artifact.name}.samples.npz"
            samples.parent.mkdir(parents=True, exist_ok=True)
            samples.write_bytes(artifact.path.read_bytes())
            found.append(
                dataclasses.replace(
                    factories.result(artifact, 2.0),
                    artifact=artifact,
                    options=options,
                    samples_path=samples,
                )
            )
        return found


def test_a_phone_is_measured_on_its_own_host(tmp_path, connected):
    runner = ray_runner.RayRunner(
        connected, Stopwatch, resource="phone", timeout_s=TIMEOUT_S
    )
    assert runner.identity == (f"phone of a cluster: stopwatch {phone_host()}")
    path = tmp_path / "int8.tflite"
    path.write_bytes(b"model")
    artifact = dataclasses.replace(factories.tflite("int8"), path=path)
    (result,) = runner.run(
        [artifact], benchmark.RuntimeOptions(launches=4), tmp_path / "results"
    )
    assert result.artifact == artifact
    assert result.options.launches == 4
    assert result.samples_path == tmp_path / "results" / "int8.samples.npz"
    assert result.samples_path.read_bytes() == b"model"


def test_rejects_another_token(nodes):
    code = (
        "from tflite_opt.search import cluster\n"
        f"cluster.Cluster({nodes.address!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"RAY_AUTH_TOKEN": "00" * 32},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "answer at --ray_address, with the same token" in done.stderr
