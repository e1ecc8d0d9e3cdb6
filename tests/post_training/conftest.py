# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.post_training import models


@pytest.fixture(scope="session")
def float_net(tmp_path_factory):
    """Returns a float network that no test may change."""
    return models.separable(tmp_path_factory.mktemp("net") / "float.tflite")


@pytest.fixture(scope="session")
def int8_net(float_net):
    """Returns its int8 form."""
    return models.quantized(float_net, float_net.with_name("int8.tflite"))
