# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from ai_edge_litert import interpreter as litert

from tflite_opt.conversion import litert_quantizer
from tflite_opt.data import dataset, sources
from tflite_opt.records import conversion
from tflite_opt.tflite import facts


@pytest.fixture
def float_model(finished_run):
    return finished_run.path("float", "model.tflite")


@pytest.fixture(scope="module")
def samples():
    spec = dataset.DataSpec(source="digits", num_calibration=50)
    return {"image": sources.load(spec)["calibration"].inputs["image"]}


def _ranges_by_reading_every_tensor(path, images):
    model = litert.Interpreter(
        model_path=str(path), experimental_preserve_all_tensors=True
    )
    model.allocate_tensors()
    (source,) = model.get_input_details()
    found = {}
    for image in images:
        model.set_tensor(source["index"], image[None])
        model.invoke()
        for detail in model.get_tensor_details():
            if detail["name"] and detail["dtype"] == np.float32:
                values = model.get_tensor(detail["index"])
                found.setdefault(detail["name"], []).append(
                    (values.min(), values.max())
                )
    return {
        name: (min(lows), max(highs))
        for name, pairs in found.items()
        for lows, highs in [zip(*pairs, strict=True)]
    }


def test_ranges_are_the_true_extremes_over_all_samples(float_model, samples):
    ranges = litert_quantizer.calibrate(float_model, samples).values
    expected = _ranges_by_reading_every_tensor(float_model, samples["image"])
    assert len(ranges) >= 8
    for name, found in ranges.items():
        low, high = expected[name]
        assert np.min(found["min"]) == pytest.approx(low, abs=1e-5)
        assert np.max(found["max"]) == pytest.approx(high, abs=1e-5)


def test_the_order_of_the_samples_does_not_matter(float_model, samples):
    rule = conversion.QuantizerRule(operation="*", mode="static")
    backwards = {"image": samples["image"][::-1]}
    first, second = (
        litert_quantizer.quantize(
            float_model,
            [rule],
            litert_quantizer.calibrate(float_model, data).values,
        )
        for data in (samples, backwards)
    )
    assert first == second


@pytest.mark.parametrize(
    ("rule", "dtype"),
    [
        ({"mode": "dynamic"}, "int8"),
        ({"mode": "weight_only"}, "int8"),
        ({"mode": "dynamic", "weight_bits": 4, "algorithm": "octav"}, "int4"),
        ({"mode": "dynamic", "weight_bits": 4, "algorithm": "mse"}, "int4"),
    ],
    ids=["dynamic", "weight only", "octav", "mse"],
)
def test_a_rule_reaches_the_file(float_model, tmp_path, rule, dtype):
    content = litert_quantizer.quantize(
        float_model,
        [conversion.QuantizerRule(operation="FULLY_CONNECTED", **rule)],
        None,
    )
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    found = facts.read_facts(path, delegation=False)
    weights = {
        o.name: {t.dtype for t in found.weights if t.index in o.weights}
        for o in found.operators
        if o.weights
    }
    assert weights["FULLY_CONNECTED"] == {dtype}
    assert weights["CONV_2D"] == {"float32"}


def test_operations_outside_the_policy_are_named(float_model):
    found = facts.read_facts(float_model, delegation=False)
    uncovered = litert_quantizer.unsupported_operations(found, "static_wi8_ai8")
    assert uncovered == ()
    uncovered = litert_quantizer.unsupported_operations(
        found, "dynamic_wi4_afp32"
    )
    assert "DEPTHWISE_CONV_2D" in uncovered


def test_takes_samples_until_ranges_stop_changing(float_model, samples):
    images = samples["image"]
    # The first 64 samples have shown everything.
    many = np.concatenate([np.concatenate([images, images])[:64]] * 4)
    found = litert_quantizer.calibrate(float_model, {"image": many})
    assert found.num_samples == 128
    assert found.last_growth == 0
    assert found.describe() == (
        "Ranges are those of 128 samples; the last of them made a range wider "
        "by 0.0% at most."
    )


def test_takes_all_samples_while_ranges_change(float_model, samples):
    images = np.concatenate([samples["image"]] * 4)
    growing = images * np.linspace(0.1, 1, len(images))[:, None, None, None]
    found = litert_quantizer.calibrate(
        float_model, {"image": growing.astype(np.float32)}
    )
    assert found.num_samples == len(images) == 200
    assert found.last_growth > 0.01
    assert found.describe().endswith("% at most, so more may change them.")


def test_ranges_are_cut_to_limits():
    ranges = {
        "x": {"min": np.float32([-3]), "max": np.float32([9])},
        "y": {"min": np.float32([-3]), "max": np.float32([9])},
    }
    found = litert_quantizer.clipped(ranges, {"x": (-5.0, 5.0)})
    assert (found["x"]["min"], found["x"]["max"]) == (-3, 5)
    assert found["y"] is ranges["y"]
