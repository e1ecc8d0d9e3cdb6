# SPDX-License-Identifier: Apache-2.0
"""A preflight as records, of a model with a bit of everything."""

from tflite_opt.records import preflight, variants


def _layer(path, class_name, parameters=0, shape=(-1, 4), **verdicts):
    neutral = preflight.Verdict(status="neutral")
    return preflight.KerasLayer(
        path=path,
        class_name=class_name,
        output_shape=shape,
        parameters=parameters,
        verdicts={
            name: verdicts.get(name, neutral)
            for name in ("pruning", "quantization_aware_training")
        },
    )


def keras(**fields):
    applies = preflight.Verdict(status="applies")
    left_out = preflight.Verdict(
        status="left_out", reason="TF-MOT never prunes depthwise kernels."
    )
    blocked = preflight.Verdict(
        status="blocked",
        reason="TF-MOT does not know Rescaling.",
        fix="Move it out of the model.",
    )
    values = {
        "techniques": ("pruning", "quantization_aware_training"),
        "layers": (
            _layer("rescaling", "Rescaling")
            if "rejections" in fields
            else _layer(
                "rescaling", "Rescaling", quantization_aware_training=blocked
            ),
            _layer("conv", "Conv2D", 1234, pruning=applies),
            _layer("relu", "ReLU"),
            _layer("depthwise", "DepthwiseConv2D", 90, pruning=left_out),
            _layer("lstm", "LSTM", 500, pruning=applies),
        ),
    }
    return preflight.KerasSupport(**values | fields)


def operation(index, name, *layers, arithmetic="float", delegated=True):
    return preflight.Operation(
        subgraph=0,
        index=index,
        name=name,
        layers=layers,
        arithmetic=arithmetic,
        is_delegated=delegated,
    )


def found(**fields):
    values = {
        "model": "model.h5",
        "keras": keras(),
        "uncovered": {"dynamic_range": (), "int8": ("ELU", "LSTM")},
        "files": (
            preflight.ConvertedFile(
                recipe="float32",
                backend="tflite_converter",
                operations=(
                    operation(0, "MUL", "rescaling"),
                    operation(1, "CONV_2D", "conv", "relu"),
                    operation(2, "DEPTHWISE_CONV_2D", "depthwise"),
                    operation(3, "LSTM", delegated=False),
                ),
                partitions=1,
            ),
            preflight.ConvertedFile(
                recipe="int8",
                backend="tflite_converter",
                operations=(
                    operation(0, "MUL", "rescaling", arithmetic="integer"),
                    operation(
                        1,
                        "CONV_2D",
                        "conv",
                        "relu",
                        arithmetic="integer",
                        delegated=False,
                    ),
                    operation(2, "DEPTHWISE_CONV_2D", "depthwise"),
                    operation(3, "LSTM", arithmetic="hybrid", delegated=False),
                ),
                partitions=2,
            ),
        ),
        "failures": (
            variants.Failure(
                model="model.h5",
                name="int8",
                technique="int8",
                message="full_integer must leave no float tensor inside.",
                remedy="Use dynamic_range.",
            ),
        ),
    }
    return preflight.Preflight(**values | fields)
