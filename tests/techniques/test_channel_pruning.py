# SPDX-License-Identifier: Apache-2.0
import dataclasses
import pathlib
import re

import pytest

from tests.keras_models import tiny
from tests.techniques import remembering
from tflite_opt import recipe
from tflite_opt.keras_models import training
from tflite_opt.keras_models.channels import groups, macs, narrowing
from tflite_opt.records import errors
from tflite_opt.techniques import base, channel_pruning, full_integer


def net(width=16):
    """Two residual blocks of one convolution each."""
    import tf_keras as keras

    def conv(x, name):
        x = keras.layers.Conv2D(width, 3, padding="same", name=name)(x)
        x = keras.layers.BatchNormalization(name=f"{name}_bn", momentum=0.5)(x)
        return keras.layers.ReLU(name=f"{name}_relu")(x)

    image = keras.Input((4, 4, 1), name="image")
    x = conv(image, "stem")
    for name in ("first", "second"):
        y = conv(x, f"{name}_wide")
        y = keras.layers.Conv2D(width, 1, name=f"{name}_project")(y)
        x = keras.layers.Add(name=f"{name}_add")([x, y])
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(3, activation="softmax", name="scores")(x)
    return keras.Model(image, x, name="net")


def prune(model, context=None, **fields):
    technique = channel_pruning.ChannelPruning(**{"round_to": 2} | fields)
    return technique.apply(model, context or remembering.context(trains=False))


def counted(model):
    return macs.count(model, groups.find(model))


@pytest.fixture
def model():
    training.make_reproducible(0)
    return net()


@pytest.mark.tensorflow
def test_leaves_what_was_asked_for_and_trains_it(model):
    before = counted(model)
    context = remembering.context(epochs=2)
    found = prune(model, context, macs=0.5)
    after = counted(found.model)
    assert 0.4 < after.macs / before.macs <= 0.5
    assert found.shrinkage.macs_before == before.macs
    assert found.shrinkage.macs == after.macs
    assert found.shrinkage.parameters == after.parameters
    assert found.notes[0].startswith("Asked for macs=0.5, 0.4")
    assert found.notes[1] == found.shrinkage.describe()
    assert found.model.input_names == ["image"]
    assert found.model.output_names == ["scores"]
    ((_, options),) = context.fits
    assert options.epochs == 2


@pytest.mark.tensorflow
def test_leaves_a_fraction_of_the_channels(model):
    found = prune(model, channels=0.5, criterion="l2", ranking="per_layer")
    widths = {
        name: found.model.get_layer(name).filters
        for name in ("stem", "first_wide", "first_project", "second_wide")
    }
    assert widths == dict.fromkeys(widths, 8)


@pytest.mark.tensorflow
def test_goes_in_rounds_with_training_between(model):
    context = remembering.context(trains=False)
    found = prune(
        model, context, channels=0.25, rounds=2, epochs=3, criterion="l1"
    )
    assert [options.epochs for _, options in context.fits] == [1, 3]
    sizes = [sum(w.size for w in weights) for weights, _ in context.fits]
    assert sizes[1] < sizes[0] < model.count_params()
    assert sum(x.size for x in groups.find(found.model).groups) == 12


@pytest.mark.tensorflow
def test_goes_on_with_the_widths_of_before_an_interruption(
    model, tmp_path, monkeypatch
):
    def fields():
        context = remembering.context(trains=False)
        return dataclasses.replace(context, checkpoint_dir=tmp_path)

    first = prune(model, fields(), macs=0.5, criterion="l1").model
    monkeypatch.setattr(narrowing, "narrow", None)
    again = prune(net(), fields(), macs=0.5, criterion="l1").model
    assert counted(again) == counted(first)


@pytest.mark.tensorflow
def test_protected_layers_stay_as_wide(model):
    found = prune(model, macs=0.6, protected=("second_.*",), criterion="l1")
    assert found.model.get_layer("second_wide").filters == 16
    # They are added to, so that they stay too.
    assert found.model.get_layer("stem").filters == 16
    assert found.model.get_layer("first_wide").filters < 16


@pytest.mark.tensorflow
def test_removes_residual_blocks_first(model):
    found = prune(
        model, macs=0.6, blocks=1, protected=("first_.*",), criterion="l1"
    )
    names = [layer.name for layer in found.model.layers]
    assert "first_add" in names
    assert "second_wide" not in names
    assert found.notes[0] == "Residual blocks removed: second_add."
    assert found.shrinkage.macs <= 0.6 * found.shrinkage.macs_before


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"protected": ("stem", "nothing")}, "Received: 'nothing'. Such layer"),
        ({"macs": 0.01}, "`macs` must be reachable: the smallest is 0."),
        ({"blocks": 3}, "blocks=3. There are 2: first_add, second_add."),
    ],
)
def test_rejects_what_does_not_fit_the_model(model, fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        prune(model, **{"macs": 0.5, "criterion": "l1"} | fields)


@pytest.mark.tensorflow
def test_says_layer_by_layer_why_nothing_can_be_removed():
    import tf_keras as keras

    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="d")], name="flat"
    )
    message = "Received: 'flat' with d: The model's outputs keep their size."
    with pytest.raises(errors.ModelError, match=re.escape(message)):
        prune(model, macs=0.5)


@pytest.mark.tensorflow
def test_a_subclassed_model_is_refused():
    with pytest.raises(errors.ModelError, match="a subclassed model"):
        prune(tiny.Subclassed(), macs=0.5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Exactly one of channels, macs, parameters, file_bytes, latency"),
        ({"macs": 0.5, "channels": 0.5}, "channels=0.5, macs=0.5"),
        ({"channels": 50.0}, "Write 0.5 for 50 %."),
        ({"macs": 0.5, "min_fraction": 1.0}, "min_fraction=1.0"),
        ({"macs": 0.5, "rounds": 0}, "`rounds` must be at least 1"),
        ({"macs": 0.5, "round_to": 0}, "Received: round_to=0"),
        ({"macs": 0.5, "blocks": -1}, "`blocks` must be at least 0"),
        ({"macs": 0.5, "protected": ("(",)}, "regular expressions"),
        ({"macs": 0.5, "criterion": "size"}, "criterion"),
    ],
)
def test_rejects_bad_fields(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        channel_pruning.ChannelPruning(**fields)


def test_reads_its_fields_from_a_recipe():
    technique = base.from_recipe(
        {"technique": "channel_pruning", "latency": 0.5, "protected": ["a"]}
    )
    assert technique.measured_in_integers
    assert technique.budget.kind == "latency"
    assert base.from_recipe(technique.to_recipe()) == technique


def test_the_example_is_a_recipe():
    root = pathlib.Path(__file__).parents[2]
    found = recipe.read(root / "examples" / "channel_pruning.yaml")
    assert isinstance(found.compress[0], channel_pruning.ChannelPruning)
    assert isinstance(found.convert, full_integer.FullInteger)
