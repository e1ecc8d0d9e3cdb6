# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.data import sample_statistics
from tflite_opt.records import errors


def _summarize(array):
    return sample_statistics.summarize(array, np.arange(len(array)), "x")


def test_statistics_are_those_of_all_values():
    values = (
        np.random.default_rng(0).normal(3, 2, (150, 4, 5)).astype("float32")
    )
    found = _summarize(values).values
    assert found.num_samples == 150
    assert found.minimum == values.min()
    assert found.maximum == values.max()
    assert found.mean == pytest.approx(values.mean(dtype="float64"))
    assert found.std == pytest.approx(values.std(dtype="float64"))


def test_odd_samples_are_counted():
    values = np.random.default_rng(0).random((10, 3, 2), np.float32)
    values[2] = 0
    values[3] = 0.5
    values[7] = values[4]
    values[8] = values[4]
    found = _summarize(values)
    assert found.constant_samples == 2
    assert found.zero_samples == 1
    assert found.duplicate_samples == 2


def test_channels_that_never_change_are_marked():
    values = np.random.default_rng(0).random((70, 3, 3), np.float32)
    values[..., 1] = 0.25
    found = _summarize(values).channel_changes
    assert found.tolist() == [True, False, True]


def test_no_more_than_a_batch_is_asked_for():
    class Lazy:
        shape, dtype = (1000, 3), np.dtype("float32")
        asked = 0

        def __getitem__(self, rows):
            self.asked = max(self.asked, len(rows))
            return np.stack([np.full(3, i, np.float32) for i in rows])

    examples = Lazy()
    rows = np.arange(0, 1000, 2)
    found = sample_statistics.summarize(examples, rows, "x")
    assert found.values.num_samples == 500
    assert found.values.maximum == 998
    assert examples.asked <= 64


def test_what_is_not_finite_is_refused():
    values = np.ones((100, 3), np.float32)
    values[90, 1] = np.inf
    with pytest.raises(errors.DataError, match="input 'x' must be finite"):
        _summarize(values)


def _sines(generator, count, length=60):
    time = np.arange(length) / length
    frequency = generator.uniform(1, 4, (count, 1))
    return np.sin(2 * np.pi * (frequency * time + generator.random((count, 1))))


@pytest.mark.parametrize("count", [20, 200])
def test_more_of_the_same_has_the_same_structure(count):
    generator = np.random.default_rng(0)
    train, more = _sines(generator, 1000), _sines(generator, count)
    assert sample_statistics.structure(more, train) > 0.9


@pytest.mark.parametrize("kind", ["uniform", "normal", "as spread as train"])
def test_noise_has_none_of_it(kind):
    generator = np.random.default_rng(0)
    train = _sines(generator, 1000)
    noise = {
        "uniform": generator.uniform(-1, 1, (200, 60)),
        "normal": generator.normal(0, 1, (200, 60)),
        "as spread as train": generator.normal(0, train.std(0), (200, 60)),
    }[kind]
    assert abs(sample_statistics.structure(noise, train)) < 0.1


def test_a_few_huge_values_are_no_structure():
    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(3, 20))
    features = np.exp(3 * generator.normal(size=(1200, 3)) @ mixing)
    found = sample_statistics.structure(features[1000:], features[:1000])
    assert found > 0.7


@pytest.mark.parametrize("kind", ["noise", "constant", "few", "small train"])
def test_what_cannot_be_told_is_not_told(kind):
    generator = np.random.default_rng(0)
    samples, train = _sines(generator, 100), _sines(generator, 1000)
    if kind == "noise":
        train = generator.normal(size=(1000, 60))
    elif kind == "constant":
        train = np.zeros_like(train)
    elif kind == "few":
        samples = samples[:19]
    else:
        train = train[:10]
    assert sample_statistics.structure(samples, train) is None
