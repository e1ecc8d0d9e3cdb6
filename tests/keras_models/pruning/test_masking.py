# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.keras_models import tiny
from tflite_opt.keras_models import training
from tflite_opt.keras_models.pruning import criteria, masking, selection
from tflite_opt.records import pruning

pytestmark = pytest.mark.tensorflow

SPLIT = tiny.split()
NUM_STEPS = 24


def targets_of(model, sparsity=0.5):
    pattern = pruning.Pattern(final_sparsity=sparsity)
    return selection.select(model, pattern, {})


def callback(model, targets, **timing):
    return masking.prune(
        targets,
        pruning.Timing(**timing),
        criteria.magnitude([t.kernel.variable for t in targets]),
        NUM_STEPS,
    )


def fit(model, callbacks):
    import tf_keras as keras

    model.compile(
        keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy"
    )
    model.fit(
        SPLIT.inputs["x"],
        SPLIT.labels,
        batch_size=8,
        epochs=4,
        callbacks=callbacks,
        verbose=0,
    )


def zeros(model, layer="conv"):
    kernel = model.get_layer(layer).kernel.numpy()
    return np.count_nonzero(kernel == 0) / kernel.size


@pytest.fixture
def model():
    training.make_reproducible(0)
    return tiny.classifier()


def test_no_step_of_adam_revives_a_weight(model):
    import tf_keras as keras

    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(model.get_layer("conv").kernel.numpy() == 0)

    targets = targets_of(model)
    prune = callback(model, targets, begin=0.25, end=0.75, frequency=3)
    fit(model, [prune, Watch()])
    counts = [int(zero.sum()) for zero in seen]
    assert counts[5] == 0
    assert counts == sorted(counts)
    assert counts[-1] == 18
    for before, after in zip(seen, seen[1:], strict=False):
        assert after[before].all()


def test_other_weights_go_on_learning(model):
    targets = targets_of(model)
    before = model.get_layer("conv").kernel.numpy()
    fit(model, [callback(model, targets, schedule="constant")])
    after = model.get_layer("conv").kernel.numpy()
    lived = after != 0
    assert np.count_nonzero(lived) == 18
    assert (before[lived] != after[lived]).all()
    # One-shot: the smallest of the weights that the model came with.
    assert np.abs(before[~lived]).max() <= np.abs(before[lived]).min()


def test_goes_on_from_its_state_at_the_start_of_an_epoch(model):
    targets = targets_of(model)
    plan = {"begin": 0.0, "end": 0.25, "frequency": 2}
    model.compile("adam", "sparse_categorical_crossentropy")
    state = {}
    seen = []
    for epoch in range(3):
        prune = callback(model, targets, **plan)
        for name, array in state.items():
            prune.state[name].assign(array)
        model.fit(
            SPLIT.inputs["x"],
            SPLIT.labels,
            batch_size=8,
            initial_epoch=epoch,
            epochs=epoch + 1,
            callbacks=[prune],
            verbose=0,
        )
        state = {name: mask.numpy() for name, mask in prune.state.items()}
        seen.append(zeros(model))
    assert list(state) == ["conv/kernel", "scores/kernel"]
    assert 0 < seen[0] < 0.5
    assert seen[1:] == [0.5, 0.5]


def test_chooses_by_pattern_and_counts(model):
    targets = [
        selection.Target(
            kernel=target.kernel, pattern=pruning.Pattern(n_of_m=(1, 2))
        )
        for target in targets_of(model)
    ]
    masks = masking.Masking(targets)
    score = criteria.magnitude([t.kernel.variable for t in targets])
    masks.choose([0.5, 0.5], score)
    kernel = model.get_layer("scores").kernel.numpy()
    pairs = kernel.T.reshape(3, 8, 2)
    assert (np.count_nonzero(pairs, axis=-1) == 1).all()
    # Of 9 weights of an output channel, one is left over.
    assert zeros(model) == pytest.approx(4 / 9)
    kept = [int(mask.numpy().sum()) for mask in masks.state.values()]
    assert kept == [20, 24]
