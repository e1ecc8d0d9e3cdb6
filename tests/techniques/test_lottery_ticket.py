# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.keras_models import tiny
from tests.techniques import remembering
from tflite_opt.keras_models import layer_weights
from tflite_opt.records import errors
from tflite_opt.techniques import lottery_ticket


def zeros(weights):
    """Returns zeros of the two kernels."""
    return [int((w == 0).sum()) for w in weights if w.ndim > 1]


@pytest.mark.tensorflow
def test_each_round_goes_back_to_early_weights():
    model = tiny.classifier()
    model.set_weights([w + 1 for w in model.get_weights()])
    given = model.get_weights()
    context = remembering.context(trains=False)
    technique = lottery_ticket.LotteryTicket(final_sparsity=0.75, rounds=2)
    found = technique.apply(model, context)
    first, dense, *rounds = [weights for weights, _ in context.fits]
    assert not np.array_equal(first[0], given[0])
    # What the fake training makes of the first weights.
    early = [w * 1.25 + 0.125 for w in first]
    for weights, count in zip(rounds, (0.5, 0.75), strict=True):
        assert zeros(weights) == [36 * count, 48 * count]
        for weight, start in zip(weights, early, strict=True):
            lives = weight != 0
            np.testing.assert_array_equal(weight[lives], start[lives])
    np.testing.assert_array_equal(dense[0], early[0])
    assert zeros(found.model.get_weights()) == [27, 36]
    epochs = [options.epochs for _, options in context.fits]
    assert epochs == [1, 4, 4, 4]
    assert context.fits[0][1].learning_rate_schedule == "constant"


@pytest.mark.tensorflow
def test_what_is_gone_stays_away_from_round_to_round():
    context = remembering.context(trains=False)
    lottery_ticket.LotteryTicket(
        final_sparsity=0.8, rounds=3, rewind_epochs=0
    ).apply(tiny.classifier(), context)
    _, *rounds = [weights[0] == 0 for weights, _ in context.fits]
    for before, after in zip(rounds, rounds[1:], strict=False):
        assert after[before].all()


@pytest.mark.tensorflow
def test_begins_with_the_given_weights_when_asked():
    model = tiny.classifier()
    given = model.get_weights()
    context = remembering.context(trains=False)
    lottery_ticket.LotteryTicket(
        final_sparsity=0.5, rounds=1, rewind_epochs=0, start="given"
    ).apply(model, context)
    np.testing.assert_array_equal(context.fits[0][0][0], given[0])


@pytest.mark.tensorflow
def test_trains_a_ticket():
    found = lottery_ticket.LotteryTicket(final_sparsity=0.5, rounds=1).apply(
        tiny.classifier(), remembering.context()
    )
    assert [h.epochs for h in found.histories] == [1, 4, 4]
    assert found.histories[-1].validation_accuracy[-1] > 0.6
    for kept in layer_weights.measure(found.model, found.promises):
        assert kept.zero_fraction == 0.5
        kept.require()


@pytest.mark.tensorflow
def test_layers_without_configuration_cannot_be_made_again():
    import tf_keras as keras

    class Double(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

        def get_config(self):
            raise NotImplementedError("no configuration")

    model = keras.Sequential(
        [keras.Input((4,)), Double(), keras.layers.Dense(3)], name="doubled"
    )
    with pytest.raises(
        errors.ModelError, match="'doubled': no con.*start=given"
    ):
        lottery_ticket.LotteryTicket(final_sparsity=0.5).apply(
            model, remembering.context()
        )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"final_sparsity": 80.0}, "Write 0.8 for 80 %."),
        ({"rounds": 0}, "`rounds` must be at least 1. Received: rounds=0"),
        ({"rewind_epochs": -1}, "Received: rewind_epochs=-1"),
        (
            {"layers": {"a": {"n_of_m": (2, 4)}}},
            "have no groups or blocks of zeros. Received: layers='a'",
        ),
    ],
)
def test_rejects_bad_fields(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        lottery_ticket.LotteryTicket(**{"final_sparsity": 0.5} | fields)
