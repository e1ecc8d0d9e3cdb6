# SPDX-License-Identifier: Apache-2.0
# The network that corrections are tested on.
from tests.post_training.conftest import float_net, int8_net  # noqa: F401
