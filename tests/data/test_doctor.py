# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.data import dataset, doctor, sources
from tflite_opt.records import data_check, errors, facts

IMAGE = facts.TensorSpec(name="image", shape=(1, 8, 8, 1), dtype="float32")


@pytest.fixture(scope="module")
def digits():
    return sources.load(dataset.DataSpec(source="digits"))


def _split(images, labels=None, name="calibration"):
    if labels is None:
        labels = np.arange(len(images)) % 10
    return dataset.Split(
        name=name,
        inputs={"image": np.asarray(images)},
        labels=labels,
        ids=np.arange(500, 500 + len(images)),
    )


def _rules(check):
    return [item.rule for item in check.findings]


def _images(digits):
    return digits["calibration"].inputs["image"].copy()


@pytest.mark.parametrize("seed", range(8))
def test_a_split_of_the_train_data_itself_gives_no_finding(seed):
    data = sources.load(dataset.DataSpec(source="digits", seed=seed))
    check = doctor.examine(data["calibration"], data["train"], [IMAGE])
    assert check.findings == ()
    assert check.classes_covered == check.num_classes == 10
    assert check.inputs[0].structure == pytest.approx(1, abs=0.15)


def test_numbers_are_those_of_the_samples(digits):
    calibration, train = digits["calibration"], digits["train"]
    check = doctor.examine(calibration, train)
    (found,) = check.inputs
    images = calibration.inputs["image"]
    assert check.num_samples == found.values.num_samples == 200
    assert found.shape == (8, 8, 1)
    assert found.dtype == "float32"
    assert found.values.mean == pytest.approx(images.mean(dtype="float64"))
    assert found.train.num_samples == min(doctor.MAX_TRAIN_SAMPLES, len(train))
    assert found.outside_train_range == 0
    assert data_check.DataCheck.from_json(check.to_json()) == check


@pytest.mark.parametrize("kind", ["uniform", "normal", "as train"])
def test_noise_is_a_warning_with_numbers(digits, kind):
    generator, shape = np.random.default_rng(0), (200, 8, 8, 1)
    train = digits["train"].inputs["image"]
    noise = {
        "uniform": generator.random(shape),
        "normal": np.clip(generator.normal(0.5, 0.5, shape), 0, 1),
        "as train": generator.normal(train.mean(), train.std(), shape),
    }[kind].astype(np.float32)
    check = doctor.examine(_split(noise), digits["train"])
    assert check.inputs[0].structure < 0.2
    (finding,) = (x for x in check.findings if x.rule == "random-noise")
    assert finding.severity == "warning"
    assert "input 'image': looks like random noise" in finding.message
    assert f"{check.inputs[0].structure:.2f} of the structure" in (
        finding.message
    )
    doctor.require_usable(check)


def test_pixels_of_another_scale_are_one_warning(digits):
    check = doctor.examine(_split(255 * _images(digits)), digits["train"])
    (finding,) = check.findings
    assert finding.rule == "another-scale"
    assert "255 times as far: 0 to 255 where the train split has 0 to 1" in (
        finding.message
    )


def test_values_outside_the_train_range_are_a_warning(digits):
    check = doctor.examine(_split(2 * _images(digits) - 1), digits["train"])
    assert _rules(check) == ["outside-train-range"]
    assert check.inputs[0].outside_train_range > 0.3
    assert "-1 to 1 where the train split has 0 to 1" in (
        check.findings[0].message
    )


def test_shifted_values_inside_the_range_are_a_warning(digits):
    check = doctor.examine(_split(0.5 + _images(digits) / 2), digits["train"])
    assert _rules(check) == ["unlike-train"]


def test_few_samples_are_a_warning(digits):
    check = doctor.examine(_split(_images(digits)[:99]), digits["train"])
    assert _rules(check) == ["too-few-samples"]
    assert check.findings[0].message == "99 representative samples"


def test_a_missing_class_is_a_warning(digits):
    calibration = digits["calibration"]
    kept = np.flatnonzero(calibration.labels != 3)
    check = doctor.examine(calibration.take(kept, "c"), digits["train"])
    assert _rules(check) == ["classes-not-covered"]
    assert check.findings[0].severity == "warning"
    assert check.findings[0].message.startswith("1 of 10 classes")
    assert "the first is 3" in check.findings[0].message
    assert check.classes_covered == 9


def test_fewer_samples_than_classes_can_only_be_noted(digits):
    check = doctor.examine(
        digits["calibration"].take(np.arange(5), "c"), digits["train"]
    )
    severities = {x.rule: x.severity for x in check.findings}
    assert severities["classes-not-covered"] == "note"


def test_samples_class_by_class_are_a_note(digits):
    calibration = digits["calibration"]
    order = np.argsort(calibration.labels, kind="stable")
    check = doctor.examine(calibration.take(order, "c"), digits["train"])
    (finding,) = check.findings
    assert finding.rule == "ordered-samples"
    assert finding.severity == "note"
    assert "9 changes of class" in finding.message
    assert "moving average" in finding.reason
    assert "true minimum and maximum" in finding.reason
    assert check.warnings == ()


def test_constant_and_repeated_samples_are_warnings(digits):
    images = _images(digits)
    images[:20] = 0
    images[20:30] = 0.5
    check = doctor.examine(_split(images), digits["train"])
    assert _rules(check) == ["constant-samples", "duplicate-samples"]
    assert "30 of 200 samples have one value throughout, 20 are all zero" in (
        check.findings[0].message
    )
    assert "28 of 200 samples repeat" in check.findings[1].message


def test_a_channel_that_never_changes_is_a_warning():
    generator = np.random.default_rng(0)
    train = generator.random((300, 8, 8, 3), np.float32)
    samples = train[:200].copy()
    samples[..., 2] = 0.5
    check = doctor.examine(_split(samples), _split(train, name="train"))
    assert "dead-channels" in _rules(check)
    assert check.inputs[0].dead_channels == 1
    assert check.inputs[0].num_channels == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: np.where(x > 0.9, np.nan, x), "NaN or infinity"),
        (lambda x: np.full_like(x, 0.5), "must vary"),
        (lambda x: x[:, :4], r"shape=\(4, 8, 1\)"),
        (lambda x: x.astype(np.float64), "dtype=float64"),
    ],
    ids=["nan", "constant", "shape", "dtype"],
)
def test_what_cannot_be_right_is_an_error(digits, change, message):
    images = change(digits["calibration"].inputs["image"])
    check = doctor.examine(_split(images), digits["train"], [IMAGE])
    assert [x.severity for x in check.findings] == ["error"]
    assert check.inputs == ()
    with pytest.raises(errors.DataError, match=message):
        doctor.require_usable(check)


def test_train_data_that_are_not_finite_are_an_error(digits):
    images = digits["train"].inputs["image"].copy()
    images[:] = np.nan
    train = _split(images, digits["train"].labels, "train")
    check = doctor.examine(digits["calibration"], train)
    with pytest.raises(errors.DataError, match="'image' must be finite"):
        doctor.require_usable(check)


def test_token_ids_are_not_judged_by_their_structure():
    generator = np.random.default_rng(0)
    tokens = generator.integers(0, 100, (400, 12)).astype(np.int32)
    check = doctor.examine(_split(tokens[:200]), _split(tokens, name="train"))
    assert check.inputs[0].dtype == "int32"
    assert check.inputs[0].structure is None
    assert check.findings == ()
