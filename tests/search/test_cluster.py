# SPDX-License-Identifier: Apache-2.0
import re
import sys
import types

import pytest

from tests.search import ray_nodes
from tflite_opt.records import errors
from tflite_opt.search import cluster


@pytest.fixture
def _installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", types.ModuleType("ray"))


def test_names_the_command_that_installs_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        errors.InputError, match=re.escape('`pip install "tflite_opt[ray]"`')
    ):
        cluster.Cluster("127.0.0.1:6379")


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("address", ["head", "head:", "auto", ":6379"])
def test_rejects_what_is_no_address(address):
    with pytest.raises(
        errors.InputError,
        match=re.escape(f"Received: ray_address={address!r}."),
    ):
        cluster.Cluster(address)


@pytest.mark.usefixtures("_installed")
def test_names_the_command_that_starts_a_cluster():
    address = f"127.0.0.1:{ray_nodes.free_port()}"
    with pytest.raises(
        errors.InputError,
        match=f"{address}': Connection refused. Start one with `RAY_AUTH_MODE",
    ):
        cluster.Cluster(address)
