# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.keras_models.support import examined
from tflite_opt.keras_models.pruning import criteria, masking, selection
from tflite_opt.keras_models.support import pruning as support
from tflite_opt.records import pruning

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("kind", "layer", "status", "reason"),
    [
        ("conv_bn", "conv", "applies", ""),
        ("conv_bn", "bn", "neutral", ""),
        ("depthwise", "depthwise", "left_out", "Depthwise kernels"),
        ("separable", "separable", "applies", ""),
        ("rescaling", "rescaling", "neutral", ""),
        ("frozen", "conv", "left_out", "Frozen weights"),
        ("prelu", "prelu", "left_out", "alpha of PReLU is no kernel"),
        ("conv1d", "conv", "applies", ""),
    ],
)
def test_says_what_becomes_of_a_layer(kind, layer, status, reason):
    found = examined.verdict(support.PruningSupport(), kind, layer)
    assert found.status == status
    assert reason in found.reason
    assert bool(found.reason) == bool(reason)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "MobileNet",
        "MobileNetV2",
        "MobileNetV3Small",
        "EfficientNetB0",
        "EfficientNetV2B0",
        "NASNetMobile",
        "ResNet50",
        "ResNet50V2",
        "DenseNet121",
        "InceptionV3",
        "ConvNeXtTiny",
    ],
)
def test_stock_models_are_pruned_while_they_train(name):
    import tf_keras as keras

    model = getattr(keras.applications, name)(
        input_shape=(96, 96, 3), weights=None, classes=10
    )
    targets = selection.select(model, pruning.Pattern(final_sparsity=0.8), {})
    share = sum(np.prod(t.kernel.shape) for t in targets)
    assert share > 0.85 * model.count_params()
    model.compile("adam", "sparse_categorical_crossentropy")
    prune = masking.prune(
        targets,
        pruning.Timing(schedule="constant"),
        criteria.magnitude([t.kernel.variable for t in targets]),
        2,
    )
    images = np.random.default_rng(0).random((8, 96, 96, 3), np.float32)
    model.fit(images, np.arange(8), batch_size=4, callbacks=[prune], verbose=0)
    for target in targets:
        values = target.kernel.variable.numpy()
        zeros = np.count_nonzero(values == 0)
        assert zeros >= round(0.8 * values.size), str(target.kernel)
