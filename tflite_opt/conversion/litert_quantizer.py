# SPDX-License-Identifier: Apache-2.0
"""The LiteRT Quantizer back end: float `.tflite` to quantized `.tflite`.

Imports no TensorFlow. Calibration keeps each tensor's true minimum and
maximum over all samples; the library's default is a moving average with a
weight of 0.95 on the past, whose result depends on the order of the samples
and cost a real MobileNetV1 14 points of accuracy.
"""

import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.records import conversion, errors, facts
from tflite_opt.tflite import narrow_int4

# Operations that LiteRT Quantizer calls by another name than TFLite does.
_QUANTIZER_NAMES = {"TRANSPOSE_CONV": "CONV_2D_TRANSPOSE"}
# Operations without numbers to quantize.
_NEUTRAL = frozenset({"SHAPE", "QUANTIZE", "DEQUANTIZE"})
_CALIBRATION_THREADS = 2
# Sixteen samples in an unlucky choice cost a MobileNetV1 2 points, 64 none.
_FIRST_SAMPLES = 64
_SETTLED_GROWTH = 0.01


def unsupported_operations(
    model: facts.ModelFacts, policy: str
) -> tuple[str, ...]:
    """Returns the model's operations that a policy does not cover.

    Args:
        model: Facts of the float model.
        policy: Name in LiteRT Quantizer's default policy.
    """
    from litert_quantizer import default_policy

    covered = json.loads(default_policy.DEFAULT_JSON_POLICY)["ops_per_config"]
    names = {
        _QUANTIZER_NAMES.get(operator.name, operator.name)
        for operator in model.operators
    }
    return tuple(sorted(names - set(covered[policy]) - _NEUTRAL))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Ranges:
    """The range of each tensor, as far as the samples showed it.

    Attributes:
        values: From tensor name to `{"min": ..., "max": ...}`, for `quantize`.
        num_samples: How many samples were looked at.
        last_growth: By how much the last samples made a range wider at most,
            as a fraction; None if all samples were looked at in one go.
    """

    values: dict[str, Any]
    num_samples: int
    last_growth: float | None

    def describe(self) -> str:
        """Returns one sentence."""
        sentence = f"Ranges are those of {self.num_samples} samples"
        if self.last_growth is None:
            return f"{sentence}."
        settled = self.last_growth <= _SETTLED_GROWTH
        return (
            f"{sentence}; the last of them made a range wider by "
            f"{self.last_growth:.1%} at most"
            f"{'' if settled else ', so more may change them'}."
        )


def calibrate(
    float_model: pathlib.Path, representative: Mapping[str, np.ndarray]
) -> Ranges:
    """Returns each tensor's true range over the representative samples.

    Begins with 64 samples and takes twice as many until that makes no range
    wider by more than 1 %, or there are no more.

    Args:
        float_model: The float `.tflite`, with one signature.
        representative: By input name, shape `(n, ...)`.

    Raises:
        ConversionError: If the model cannot be run sample by sample.
    """
    from litert_quantizer import calibrator, qtyping, quantizer
    from litert_quantizer.utils import qsv_utils

    scribe = calibrator.Calibrator(
        str(float_model),
        num_threads=_CALIBRATION_THREADS,
        # Collects ranges inside the runtime, ten times faster than reading
        # every tensor back.
        mode=calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=qsv_utils.min_max_update,
    )
    every = quantizer.recipe_manager.RecipeManager()
    every.add_static_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 8, 8)
    signatures = scribe.get_signature_list()
    if len(signatures) != 1:
        raise errors.ConversionError(
            "Calibration needs a model with one signature. "
            f"Received: signatures={list(signatures)}."
        )
    count = len(next(iter(representative.values())))
    growth, done, target = None, 0, _FIRST_SAMPLES
    while done < count and (growth is None or growth > _SETTLED_GROWTH):
        end = min(count, target)
        samples = [
            {name: array[i : i + 1] for name, array in representative.items()}
            for i in range(done, end)
        ]
        before = _copied(scribe.get_model_qsvs())
        try:
            scribe.calibrate({next(iter(signatures)): samples}, every)
        except (ValueError, RuntimeError) as error:
            raise errors.ConversionError(
                f"LiteRT Quantizer could not calibrate the model: {error}"
            ) from error
        if before:
            growth = _growth(before, scribe.get_model_qsvs())
        done, target = end, 2 * end
    return Ranges(
        values=scribe.get_model_qsvs(), num_samples=done, last_growth=growth
    )


def _copied(ranges: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    return {
        name: (float(np.min(x["min"])), float(np.max(x["max"])))
        for name, x in ranges.items()
    }


def _growth(
    before: Mapping[str, tuple[float, float]], after: Mapping[str, Any]
) -> float:
    """Returns by which fraction a range grew at most."""
    largest = 0.0
    for name, (low, high) in _copied(after).items():
        old_low, old_high = before[name]
        width = old_high - old_low
        if high - low > width:
            # A range of nothing may become anything.
            grown = (high - low) / width - 1 if width > 0 else np.inf
            largest = max(largest, grown)
    return largest


def clipped(
    ranges: Mapping[str, Any], limits: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    """Returns true ranges cut to what other ranges allow.

    Args:
        ranges: As in `Ranges.values`.
        limits: Lowest and highest value, by tensor name.
    """
    return {
        name: (
            {
                "min": np.maximum(x["min"], np.float32(limits[name][0])),
                "max": np.minimum(x["max"], np.float32(limits[name][1])),
            }
            if name in limits
            else x
        )
        for name, x in ranges.items()
    }


def quantize(
    float_model: pathlib.Path,
    rules: Sequence[conversion.QuantizerRule],
    ranges: Mapping[str, Any] | None,
) -> bytes:
    """Returns the quantized `.tflite`.

    Args:
        float_model: The float `.tflite`.
        rules: In order; later ones override earlier ones.
        ranges: As in `Ranges.values`; None when no rule is static.

    Raises:
        ConversionError: If the library rejects the model or the rules.
    """
    from litert_quantizer import quantizer

    engine = quantizer.Quantizer(str(float_model))
    try:
        for rule in rules:
            _add_rule(engine, rule)
        result = engine.quantize(
            dict(ranges) if ranges is not None else None,
            enable_progress_bar=False,
            enable_progress_report=False,
        )
    except (ValueError, RuntimeError, KeyError, NotImplementedError) as error:
        raise errors.ConversionError(
            f"LiteRT Quantizer rejected the model: {error}"
        ) from error
    content = bytes(result.quantized_model)
    if any(rule.weight_bits == 4 for rule in rules):
        return _narrow(content)
    return content


def _narrow(content: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.tflite"
        path.write_bytes(content)
        narrow_int4.narrow(path)
        return path.read_bytes()


def _add_rule(engine: Any, rule: conversion.QuantizerRule) -> None:
    from litert_quantizer import algorithm_manager, qtyping

    algorithms = algorithm_manager.AlgorithmName
    algorithm = {
        "min_max": algorithms.MIN_MAX_UNIFORM_QUANT,
        "mse": algorithms.MSE,
        "octav": algorithms.OCTAV,
    }[rule.algorithm]
    if rule.mode == "none":
        algorithm, config = algorithms.NO_QUANTIZE, None
    elif rule.mode == "float16":
        algorithm, config = algorithms.FLOAT_CASTING, _half_precision()
    else:
        config = _operation_config(rule)
    engine.update_quantization_recipe(
        rule.regex,
        qtyping.TFLOperationName(rule.operation),
        config,
        algorithm_key=algorithm,
    )


def _half_precision() -> Any:
    from litert_quantizer import qtyping

    return qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=16, dtype=qtyping.TensorDataType.FLOAT
        ),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )


def _operation_config(rule: conversion.QuantizerRule) -> Any:
    from litert_quantizer import qtyping

    granularity = {
        "per_channel": qtyping.QuantGranularity.CHANNELWISE,
        "per_tensor": qtyping.QuantGranularity.TENSORWISE,
    }[rule.granularity]
    activation = None
    if rule.mode == "static":
        kind = qtyping.TensorDataType
        activation = qtyping.TensorQuantizationConfig(
            num_bits=rule.activation_bits,
            symmetric=rule.symmetric_activations,
            granularity=qtyping.QuantGranularity.TENSORWISE,
            dtype=kind.UINT if rule.unsigned_activations else kind.INT,
        )
    in_float = rule.mode == "weight_only"
    precision = qtyping.ComputePrecision
    return qtyping.OpQuantizationConfig(
        activation_tensor_config=activation,
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=rule.weight_bits,
            symmetric=True,
            granularity=granularity,
        ),
        compute_precision=precision.FLOAT if in_float else precision.INTEGER,
        explicit_dequantize=in_float,
    )
