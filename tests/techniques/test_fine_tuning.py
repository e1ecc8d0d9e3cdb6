# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.keras_models import tiny
from tests.techniques import remembering
from tflite_opt.techniques import fine_tuning


@pytest.mark.tensorflow
def test_trains_the_model_and_nothing_else():
    model = tiny.classifier()
    before = model.get_weights()
    context = remembering.context(trains=False)
    found = fine_tuning.FineTuning(epochs=2).apply(model, context)
    ((weights, options),) = context.fits
    np.testing.assert_array_equal(weights[0], before[0])
    assert options.epochs == 2
    assert found.model is model
    assert found.promises == ()
    assert found.shrinkage is None
