# SPDX-License-Identifier: Apache-2.0
import hashlib

import numpy as np

from tests.tflite import handmade
from tflite_opt.tflite import seeded_runs


def test_seeded_runs_depend_on_the_weights(tmp_path):
    digests = set()
    for factor in (1, 2):
        builder = handmade.dense()
        builder.model.buffers[1].data = np.frombuffer(
            (handmade.WEIGHTS * factor).tobytes(), np.uint8
        )
        path = builder.save(tmp_path / "model.tflite")
        for _ in range(2):
            digest = hashlib.sha256()
            seeded_runs.update_digest(digest, path, "none")
            digests.add(digest.hexdigest())
    assert len(digests) == 2
