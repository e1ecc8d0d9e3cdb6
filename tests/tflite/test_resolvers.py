# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.records import errors, facts
from tflite_opt.tflite import interpreter, resolvers

_ROWS = {"x": np.ones((3, 4), np.float32)}


def _check(**fields):
    values = {"prepared_by": "both", "num_examples": 10}
    return facts.ResolverCheck(**values | fields)


def test_equal_outputs_agree(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    found = resolvers.compare_resolvers(path, _ROWS)
    assert found == facts.ResolverCheck(
        prepared_by="both",
        num_examples=3,
        max_relative_difference=0.0,
        top1_agreement=1.0,
        clear_agreement=found.clear_agreement,
    )
    assert found.ok
    assert found.warnings() == ()


def test_a_file_that_none_prepares_is_not_ok(tmp_path):
    builder = handmade.dense()
    builder.operator("MyOperation", (3,), (3,))
    path = builder.save(tmp_path / "model.tflite")
    found = resolvers.compare_resolvers(path, _ROWS)
    assert found.prepared_by == "none"
    assert "MyOperation" in found.delegate_error
    assert "MyOperation" in found.builtin_error
    assert not found.ok


@pytest.mark.parametrize(
    ("refused", "prepared_by", "warning"),
    [
        ("none", "xnnpack only", "Needs XNNPACK: too new."),
        ("xnnpack", "builtin only", "Builtin only: too new."),
    ],
)
def test_a_file_that_one_prepares_is_kept_with_a_warning(
    tmp_path, monkeypatch, refused, prepared_by, warning
):
    path = handmade.dense().save(tmp_path / "model.tflite")
    load = interpreter.load

    def load_or_refuse(path, *, delegate, num_threads):
        if delegate == refused:
            raise errors.ModelError("refused") from RuntimeError("too new.")
        return load(path, delegate=delegate, num_threads=num_threads)

    monkeypatch.setattr(interpreter, "load", load_or_refuse)
    found = resolvers.compare_resolvers(path, _ROWS)
    assert found.prepared_by == prepared_by
    assert found.ok
    assert found.warnings() == (warning,)


def test_rejects_inputs_that_do_not_fit(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    with pytest.raises(errors.DataError):
        resolvers.compare_resolvers(path, {"x": np.ones((3, 5), np.float32)})


@pytest.mark.parametrize(
    ("fields", "ok"),
    [
        ({"max_quanta": 2}, True),
        ({"max_quanta": 3}, False),
        ({"max_quanta": 3, "top1_agreement": 0.995}, True),
        ({"max_quanta": 3, "top1_agreement": 0.994}, False),
        ({"max_relative_difference": 1e-4}, True),
        ({"max_relative_difference": 2e-4}, False),
        ({"max_relative_difference": 2e-4, "top1_agreement": 1.0}, True),
        ({"max_quanta": 0, "max_relative_difference": 2e-4}, False),
        ({"top1_agreement": 0.9}, False),
        ({"max_quanta": 5, "noise_fraction": 0.02}, True),
        ({"max_quanta": 5, "noise_fraction": 0.03}, False),
        ({"max_quanta": 2, "noise_fraction": 0.03}, True),
        ({"max_quanta": 5, "noise_fraction": 0, "top1_agreement": 0.9}, False),
        ({"max_quanta": 3, "top1_agreement": 0.9, "clear_agreement": 1}, True),
        (
            {"max_quanta": 3, "top1_agreement": 0.9, "clear_agreement": 0.9},
            False,
        ),
        (
            {"max_quanta": 3, "top1_agreement": 0.995, "clear_agreement": 0.9},
            True,
        ),
        ({"prepared_by": "none"}, False),
    ],
)
def test_limits(fields, ok):
    assert _check(**fields).ok is ok


def test_says_what_was_measured():
    found = _check(max_quanta=1, top1_agreement=0.9, clear_agreement=1.0)
    assert found.describe() == (
        "1 quanta apart, top-1 agreement 90.00%, 100.00% where a class leads "
        "on 10 examples"
    )


def _compared(first, second):
    spec = facts.TensorSpec(
        name="y", shape=(1, 3), dtype="int8", scale=(1 / 256,), zero_point=(0,)
    )
    rows = [np.array(x, np.int8) for x in (first, second)]
    return resolvers.compare_outputs(
        [spec],
        {"y": rows[0]},
        {"y": rows[1]},
        num_examples=len(first),
        input_shapes=[(4, 4)],
    )


def test_what_lies_between_two_classes_is_no_disagreement():
    # Kernels that differ by three steps, as in narrow networks.
    found = _compared(
        [[-128, 127, 0], [0, 3, -128], [50, 47, -128]],
        [[-128, 127, 0], [0, -1, -128], [47, 50, -128]],
    )
    assert found.max_quanta == 4
    assert found.top1_agreement == pytest.approx(1 / 3)
    assert found.clear_agreement == 1
    assert found.ok


def test_a_clear_lead_that_only_one_sees_is_a_disagreement():
    rows = [[-128, 127, 0], [0, 3, -128]]
    found = _compared(rows, [rows[0], [100, -1, -128]])
    assert found.clear_agreement == 0.5
    assert not found.ok


def test_without_a_clear_prediction_all_count():
    found = _compared([[0, 1, 127]] * 2, [[127, 126, 127]] * 2)
    assert found.clear_agreement == 0
    found = _compared([[0, 0, 0], [0, 3, 0]], [[0, 0, 0], [127, -127, 126]])
    assert found.top1_agreement == 0.5
    assert found.clear_agreement is None
    assert not found.ok


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, -4.0], [1.5, -4.0], 0.125),
        ([0.0], [0.0], 0.0),
        ([np.nan, np.inf, 1.0], [np.nan, np.inf, 1.0], 0.0),
    ],
)
def test_relative_difference_is_of_the_largest_value(first, second, difference):
    found = resolvers._relative_difference(
        np.array(first, np.float32), np.array(second, np.float32)
    )
    assert found == difference


def test_a_value_that_only_one_has_is_as_far_apart_as_can_be():
    found = resolvers._relative_difference(
        np.array([np.nan, 1.0]), np.array([0.0, 1.0])
    )
    assert found > 1e38


def test_noise_is_a_fraction_of_the_spread():
    first = np.array([[-1, 1], [1, -1]], np.int8)
    assert resolvers._noise_fraction(first, first) == 0
    noisy = first + np.array([[1, 0], [0, 0]], np.int8)
    assert resolvers._noise_fraction(noisy, first) == pytest.approx(0.5)
    flat = np.zeros((2, 2), np.float32)
    assert resolvers._noise_fraction(flat + 1, flat) > 1e38


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["float32", "float16", "int8"])
def test_converted_models_agree(converted, images, name):
    path = converted / f"{name}.tflite"
    found = resolvers.compare_resolvers(path, {"image": images})
    assert found.ok, found.describe()
    if name == "int8":
        assert found.max_quanta <= 2
        assert found.max_relative_difference is None
    else:
        assert found.max_quanta is None
        assert found.max_relative_difference <= 1e-4
