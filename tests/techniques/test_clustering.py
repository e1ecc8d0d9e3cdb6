# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.techniques import fine_tuned
from tflite_opt import recipe
from tflite_opt.records import compression, errors
from tflite_opt.techniques import clustering


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"number_of_clusters": 1},
            "`number_of_clusters` must be an integer >= 2. "
            "Received: number_of_clusters=1",
        ),
        (
            {"number_of_clusters": 2, "preserve": ("sparsity",)},
            "must be an integer >= 3 with preserve: [sparsity]. Received: ",
        ),
        ({"layers": {"conv": 1}}, "`layers` must give 0 or an integer >= 2."),
        ({"layers": {"(": 4}}, "or regular expressions. Received: '('"),
        ({"number_of_clusters": 2.5}, "Clustering.number_of_clusters"),
        ({"cluster_centroids_init": "median"}, "cluster_centroids_init"),
        (
            {"preserve": ("clusters",)},
            "clustering can preserve sparsity. Received: preserve=clusters.",
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_rejects_values_out_of_range(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        clustering.Clustering(**fields)


def test_the_preset_clusters_before_int8():
    found = recipe.presets()["cluster16_int8"]
    assert found.compress == (clustering.Clustering(number_of_clusters=16),)
    assert found.convert.technique == "full_integer"


@pytest.mark.tensorflow
def test_a_network_without_bias_is_clustered_and_stays_good():
    import tf_keras as keras

    def build():
        return keras.Sequential(
            [
                keras.Input((4, 4, 1), name="image"),
                keras.layers.Conv2D(8, 3, use_bias=False, name="conv"),
                keras.layers.BatchNormalization(momentum=0.5),
                keras.layers.ReLU(),
                keras.layers.DepthwiseConv2D(2, name="depthwise"),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax", name="scores"),
            ]
        )

    model = fine_tuned.trained(build)
    given = keras.models.clone_model(model)
    given.set_weights(model.get_weights())
    found, kept = fine_tuned.apply(
        clustering.Clustering(number_of_clusters=8), model
    )
    assert [(x.promise.layer, x.unique_values) for x in kept] == [
        ("conv", 8),
        ("scores", 8),
    ]
    assert found.histories[0].validation_accuracy[-1] > 0.9
    # No wrappers: the same layers under the same names.
    assert [x.name for x in found.model.layers] == [
        x.name for x in given.layers
    ]
    assert found.notes[0].startswith("2 kernels with ")
    assert "depthwise/depthwise_kernel is not clustered" in found.notes[1]


@pytest.mark.tensorflow
def test_zeros_are_preserved_in_each_channel():
    model = fine_tuned.trained()
    kernel = model.get_layer("scores").kernel
    values = kernel.numpy()
    values[np.abs(values) < np.median(np.abs(values))] = 0
    kernel.assign(values)
    _, kept = fine_tuned.apply(
        clustering.Clustering(
            number_of_clusters=4,
            cluster_centroids_init="density_based",
            cluster_per_channel=True,
            preserve=("sparsity",),
        ),
        model,
    )
    np.testing.assert_array_equal(kernel.numpy() == 0, values == 0)
    assert [x.promise.layer for x in kept] == ["conv", "scores"]
    assert kept[1].channel_unique_values == 4
    assert kept[1].unique_values > 4


@pytest.mark.tensorflow
def test_zeros_of_a_kernel_too_small_to_cluster_are_preserved():
    model = fine_tuned.trained()
    conv, scores = (model.get_layer(x).kernel for x in ("conv", "scores"))
    for kernel in (conv, scores):
        kernel.assign(np.where(kernel.numpy() > 0, kernel.numpy(), 0))
    assert conv.shape.num_elements() < scores.shape.num_elements()
    before = [kernel.numpy() for kernel in (conv, scores)]
    _, kept = fine_tuned.apply(
        clustering.Clustering(
            number_of_clusters=conv.shape.num_elements(),
            preserve=("sparsity",),
        ),
        model,
        promises=tuple(
            compression.Promise(
                layer=layer, weight="kernel", min_zero_fraction=0.1
            )
            for layer in ("conv", "scores")
        ),
    )
    assert [x.promise.layer for x in kept] == ["scores"]
    for kernel, old in zip((conv, scores), before, strict=True):
        np.testing.assert_array_equal(kernel.numpy() == 0, old == 0)
        assert not np.array_equal(kernel.numpy(), old)


def test_a_preset_clusters_what_was_pruned():
    found = recipe.presets()["prune80_cluster16_int8"]
    assert [step.technique for step in found.compress] == [
        "pruning",
        "clustering",
    ]
    assert found.compress[1].preserve == ("sparsity",)
